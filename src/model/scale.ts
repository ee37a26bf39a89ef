/** How much of an experiment is run; what each means is said where experiments are scaled. */
export const SCALES = ["functional", "smoke", "quick", "full"] as const;
export type Scale = (typeof SCALES)[number];
