/** A piece of HTML that is safe to insert: everything that came from outside has been escaped on its way in. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

type Insertable = string | number | Html | null | undefined | false | readonly Insertable[];

/** Template that escapes what is inserted, unless it is Html itself; lists are joined, null and false are nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Insertable[]): Html {
  return new Html(parts.map((part, index) => part + insert(values[index])).join(""));
}

/** Text that is already HTML: style sheets and charts of our own, never anything from a file of the user's. */
export function trusted(text: string): Html {
  return new Html(text);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

function insert(value: Insertable): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
  return value.map(insert).join("");
}

/** Keeps on one line what does not read well on two: a number and its unit, and words with hyphens, as phases' names are. */
export function unbroken(text: string): Html {
  const parts = text.replaceAll(/(\d) (?=(?:ms|s|%)(?![a-z]))/g, "$1\u00a0").split(/(\w+(?:-\w+)+)/);
  return html`${parts.map((part, index) => (index % 2 === 0 ? part : html`<span class="unbroken">${part}</span>`))}`;
}
