/** What a drawing of a lab's network shows, without where. */
export interface Scene {
  lans: SceneLan[];
  networks: SceneNetwork[];
  guests: SceneGuest[];
}

/** A cable of the company, with what hangs on it besides the platform's host. */
export interface SceneLan {
  /** Names it for `SceneNetwork.lan`. */
  id: string;
  label: string;
  /** The host's interface on it; `joined`: it is a port of the bridge of that network. */
  card: string;
  machines: { name: string; detail: string }[];
}

export interface SceneNetwork {
  name: string;
  mode: string;
  /** `xenbr0 · 10.23.0.0/24` */
  detail: string;
  /** Which cable it leaves by; null: none. */
  lan: string | null;
  /** What happens on the way there: `masquerade`, `802.1Q tag 2`; null: frames pass as they are. */
  way: string | null;
}

export interface SceneGuest {
  name: string;
  nics: { vif: string; network: string; address: string }[];
  /** Stands for so many more like it; 0: for itself alone. */
  more: number;
}
