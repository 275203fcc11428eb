// <relp-figure>: a RelP figure in any page. `docs/embedding.md` says what it understands and tells.
//
// The build puts what draws (`relp-embed`, in WebAssembly) in front of this, so that it is one module. Nothing
// is fetched before the element comes near the screen, and no engine before the reader asks for one: that is
// the playground itself, in a frame, since a worker has to be of its own page's origin.

const PROGRAM = new URL("relp-figure.wasm", import.meta.url);
const PLAYGROUND = new URL(".", import.meta.url);
const FORMAT = "relp-embed/1";
// Of a question, by the names that it has in a link.
const ASKED = [
  "model", "pair", "clean", "corrupted", "answer", "foil", "bos", "method", "rules", "direction", "replace",
  "metric", "normalise", "heads", "neurons", "mean",
];
const LOOKED = ["src", "theme", "colours", "no-caption"];
const TALLEST = 20000;

const STYLE = `
  :host { display: block; position: relative; color: var(--relp-ink, light-dark(#1d1c1a, #ece9e2));
    font: 0.875rem/1.4 var(--relp-font, ui-sans-serif, system-ui, sans-serif); color-scheme: light dark; }
  :host([hidden]) { display: none; }
  :host([theme="light"]) { color-scheme: light; }
  :host([theme="dark"]) { color-scheme: dark; }
  .picture { position: relative; touch-action: manipulation; }
  .picture svg { display: block; width: 100%; height: auto; }
  .picture:focus-visible { outline: 2px solid var(--relp-focus, light-dark(#0b57d0, #8ab4ff)); outline-offset: 2px; }
  .frame { position: absolute; box-sizing: border-box; pointer-events: none;
    border: 2px solid var(--relp-accent, light-dark(#7a4b00, #e2b15f)); }
  .bar { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: center; margin-top: 0.375rem; }
  .reading { flex: 1 1 16rem; min-height: 1.4em; font-variant-numeric: tabular-nums; }
  .question { margin: 0; padding: 0.75rem 0; }
  .question b { font-weight: 600; }
  .message { margin: 0; padding: 0.5rem 0; color: light-dark(#9c2710, #ff9f87); }
  button { min-height: 1.75rem; padding: 0.15rem 0.7rem; border: 1px solid var(--relp-line, light-dark(#b9b4a8, #5d584e));
    border-radius: 4px; background: transparent; color: inherit; font: inherit; cursor: pointer; }
  button:focus-visible { outline: 2px solid var(--relp-focus, light-dark(#0b57d0, #8ab4ff)); outline-offset: 2px; }
  iframe { display: block; width: 100%; border: 0; }
`;

let program = null;
function started() {
  program ??= (async () => {
    const module = PROGRAM instanceof URL ? await fetched(PROGRAM) : await PROGRAM;
    await wasm_bindgen({ module_or_path: module });
    return wasm_bindgen.Picture;
  })();
  // Another try may have more luck.
  program.catch(() => (program = null));
  return program;
}

async function fetched(address) {
  const response = await fetch(address, { credentials: "omit" });
  if (!response.ok) throw new Error(`${address} cannot be fetched (${response.status})`);
  return response.arrayBuffer();
}

export class RelpFigure extends HTMLElement {
  static observedAttributes = [...ASKED, ...LOOKED, "app"];

  #root = this.attachShadow({ mode: "open" });
  #figure = null; // its JSON, as text
  #picture = null; // in the program's memory
  #cell = null;
  #frame = null; // the playground, while it is live
  #near = false;
  #wanted = 0; // counts the figures that were asked for: the last one counts
  #drawn = "";
  #queued = false;
  #seen = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) this.#come();
  }, { rootMargin: "50%" });
  #sized = new ResizeObserver(() => this.#queue());
  #scheme = matchMedia("(prefers-color-scheme: dark)");
  #onScheme = () => this.#queue();
  #onMessage = (event) => this.#hear(event);

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [sheet];
  }

  connectedCallback() {
    // What was set before the element was known.
    for (const name of ["figure", "src"]) {
      if (Object.hasOwn(this, name)) {
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
    }
    this.#seen.observe(this);
    this.#sized.observe(this);
    this.#scheme.addEventListener("change", this.#onScheme);
    addEventListener("message", this.#onMessage);
    this.#show();
  }

  disconnectedCallback() {
    this.#seen.disconnect();
    this.#sized.disconnect();
    this.#scheme.removeEventListener("change", this.#onScheme);
    removeEventListener("message", this.#onMessage);
    this.#frame = null;
    this.#forget();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected) return;
    if (name === "src" && this.#near) this.#read();
    else if (LOOKED.includes(name)) this.#queue();
    else if (this.#frame) this.live();
    else this.#show();
  }

  /** The figure that is shown, as an object of the format relp-figure/1; null if there is none. */
  get figure() {
    return this.#figure === null ? null : JSON.parse(this.#figure);
  }
  set figure(figure) {
    this.#wanted += 1;
    this.#take(typeof figure === "string" ? figure : JSON.stringify(figure));
  }

  /** The address of a figure's JSON. */
  get src() {
    return this.getAttribute("src") ?? "";
  }
  set src(address) {
    this.setAttribute("src", address);
  }

  /** Whether the playground runs in it. */
  get isLive() {
    return this.#frame !== null;
  }

  /** Makes it live: the playground in a frame, which asks before it fetches any weights. */
  live() {
    const frame = document.createElement("iframe");
    const address = this.#playground();
    if (!canBeLive(address)) {
      return this.#fail("It cannot be made live here: that takes a page from a web server.");
    }
    // Of a page inside a page (srcdoc) the location has no origin, but the window has.
    address.search = `?embed=${encodeURIComponent(self.origin)}&live`;
    address.hash = this.#link();
    frame.src = address;
    frame.title = "RelP Playground";
    frame.part = "frame";
    frame.height = Math.max(480, Math.round(this.getBoundingClientRect().height));
    frame.allow = "clipboard-write; fullscreen";
    this.#frame = frame;
    this.#show();
  }

  /** Goes back to the picture. */
  still() {
    this.#frame = null;
    this.#show();
    this.#queue();
  }

  /** The figure as an SVG file's text. */
  async toSVG() {
    const Picture = await started();
    if (this.#figure === null) throw new Error("There is no figure to be drawn.");
    const picture = new Picture(this.#figure);
    try {
      return picture.draw(this.#width(), this.#dark(), this.getAttribute("colours") === "swapped", true);
    } finally {
      picture.free();
    }
  }

  #playground() {
    return new URL(this.getAttribute("app") ?? "", PLAYGROUND);
  }

  #come() {
    this.#seen.disconnect();
    if (this.#near) return;
    this.#near = true;
    if (this.hasAttribute("src")) this.#read();
    else this.#queue();
  }

  async #read() {
    const wanted = (this.#wanted += 1);
    try {
      const address = new URL(this.src, document.baseURI);
      const response = await fetch(address, { credentials: "omit" });
      if (!response.ok) throw new Error(`the server says ${response.status}`);
      const text = await response.text();
      if (wanted === this.#wanted) await this.#take(text);
    } catch (error) {
      if (wanted === this.#wanted) this.#fail(`The figure ${this.src} cannot be fetched: ${words(error)}.`);
    }
  }

  async #take(text) {
    const wanted = this.#wanted;
    try {
      const Picture = await started();
      if (wanted !== this.#wanted) return;
      const picture = new Picture(text);
      this.#forget();
      this.#picture = picture;
      this.#figure = text;
      this.#drawn = "";
      this.#show();
      this.#draw();
      this.#tell("relp-ready", { title: picture.title() });
    } catch (error) {
      this.#fail(typeof error === "string" ? error : `The figure cannot be drawn: ${words(error)}.`);
    }
  }

  #forget() {
    this.#picture?.free();
    this.#picture = null;
    this.#cell = null;
    if (!this.isConnected) this.#near = false;
  }

  #fail(message) {
    const said = element("p", "message", message);
    said.setAttribute("role", "alert");
    this.#root.querySelector(".message")?.remove();
    this.#root.append(said);
    this.#tell("relp-error", { message });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #width() {
    return this.getBoundingClientRect().width || 640;
  }

  #dark() {
    const theme = this.getAttribute("theme");
    return theme === "dark" || (theme !== "light" && this.#scheme.matches);
  }

  // A size that changes many times in a frame is drawn once.
  #queue() {
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame(() => {
      this.#queued = false;
      // Taken out of the page and put back.
      if (this.isConnected && this.#near && !this.#picture && this.#figure !== null) this.#take(this.#figure);
      else this.#draw();
    });
  }

  // What is in it: the frame, the picture, or what the page's author has put there.
  #show() {
    const asks = ASKED.some((name) => this.hasAttribute(name));
    const parts = [];
    if (this.#frame) {
      parts.push(this.#frame);
    } else if (this.#picture) {
      parts.push(this.#view());
    } else {
      parts.push(document.createElement("slot"));
      if (asks && this.childElementCount === 0) parts.push(this.#question());
    }
    const bar = element("div", "bar");
    const says = element("span", "reading");
    says.setAttribute("aria-live", "polite");
    bar.append(says);
    if (this.#frame) bar.append(button("Back to the picture", "still", () => this.still()));
    else if ((this.#picture || asks) && canBeLive(this.#playground())) bar.append(button("Make it live", "live", () => this.live()));
    parts.push(bar);
    this.#root.replaceChildren(...parts);
    this.#drawn = "";
    if (this.#picture && !this.#frame) this.#draw();
  }

  #question() {
    const said = element("p", "question");
    for (const name of ["clean", "corrupted", "answer", "foil", "model"]) {
      if (!this.hasAttribute(name)) continue;
      said.append(element("b", "", `${name} `), this.getAttribute(name), document.createElement("br"));
    }
    return said;
  }

  #view() {
    const view = element("div", "picture");
    view.tabIndex = 0;
    view.setAttribute("role", "group");
    view.setAttribute("aria-roledescription", "attribution maps");
    view.addEventListener("pointermove", (event) => this.#point(event));
    view.addEventListener("pointerdown", (event) => this.#point(event));
    view.addEventListener("keydown", (event) => this.#walk(event));
    return view;
  }

  #draw() {
    const view = this.#root.querySelector(".picture");
    if (!view || !this.#picture) return;
    const [width, dark] = [Math.round(this.#width()), this.#dark()];
    const swapped = this.getAttribute("colours") === "swapped";
    const caption = !this.hasAttribute("no-caption");
    const wanted = [width, dark, swapped, caption].join();
    if (wanted === this.#drawn) return;
    this.#drawn = wanted;
    const svg = this.#picture.draw(width, dark, swapped, caption);
    const drawn = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    drawn.setAttribute("aria-label", this.#picture.title());
    view.setAttribute("aria-label", this.#picture.title());
    view.replaceChildren(document.importNode(drawn, true));
    if (this.#cell) this.#look(this.#picture.cell(this.#cell.map, this.#cell.layer, this.#cell.column));
  }

  #point(event) {
    const view = event.currentTarget.getBoundingClientRect();
    const [width, height] = this.#picture.size();
    const x = ((event.clientX - view.x) / view.width) * width;
    this.#look(this.#picture.at(x, ((event.clientY - view.y) / view.height) * height));
  }

  #walk(event) {
    const { map = 0, layer = 0, column = 0 } = this.#cell ?? {};
    const steps = {
      ArrowUp: [map, layer + 1, column],
      ArrowDown: [map, Math.max(0, layer - 1), column],
      ArrowRight: [map, layer, column + 1],
      ArrowLeft: [map, layer, Math.max(0, column - 1)],
      Home: [map, layer, 0],
      End: [map, layer, 1e6],
      PageDown: [map + 1, layer, column],
      PageUp: [Math.max(0, map - 1), layer, column],
    };
    const to = this.#cell ? steps[event.key] : steps[event.key] && [0, 0, 0];
    if (!to || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#look(this.#picture.cell(...to));
  }

  // A cell as the program says it; what is between the maps leaves the last one.
  #look(said) {
    if (!said) return;
    const cell = JSON.parse(said);
    const changed = !this.#cell || ["map", "layer", "column"].some((name) => cell[name] !== this.#cell[name]);
    this.#cell = cell;
    const view = this.#root.querySelector(".picture");
    let frame = view.querySelector(".frame");
    if (!frame) view.append((frame = element("div", "frame")));
    const [width, height] = this.#picture.size();
    const [x, y, wide, high] = cell.frame;
    const share = (value, of) => `${(100 * value) / of}%`;
    Object.assign(frame.style, {
      left: share(x, width), top: share(y, height), width: share(wide, width), height: share(high, height),
    });
    this.#root.querySelector(".reading").textContent = cell.says;
    const { site, layer, column, score } = cell;
    if (changed) this.#tell("relp-cell", { site, layer, column, score });
  }

  // The question as a link of the playground.
  #link() {
    const asked = new URLSearchParams();
    for (const name of ASKED) {
      if (!this.hasAttribute(name)) continue;
      const value = this.getAttribute(name);
      const many = (name === "answer" || name === "foil") && value.startsWith("[");
      for (const one of many ? list(value) : [value]) asked.append(name, one);
    }
    return asked.size > 0 ? `v=1&${asked}` : "";
  }

  // Only the frame is listened to, and only from its own origin.
  #hear(event) {
    const frame = this.#frame;
    if (!frame || event.source !== frame.contentWindow || event.origin !== new URL(frame.src).origin) return;
    const message = event.data;
    if (typeof message !== "object" || message === null || message.format !== FORMAT) return;
    if (message.kind === "height" && message.height > 0 && message.height < TALLEST) {
      frame.height = Math.ceil(message.height);
    } else if (message.kind === "ready" && this.#figure !== null && !this.hasAttribute("clean")) {
      frame.contentWindow.postMessage({ format: FORMAT, kind: "show", figure: this.#figure }, event.origin);
    } else if (message.kind === "result" && typeof message.figure === "string") {
      this.#tell("relp-result", { figure: JSON.parse(message.figure) });
    } else if (message.kind === "error" && typeof message.message === "string") {
      this.#tell("relp-error", { message: message.message });
    }
  }
}

function element(name, part, text = "") {
  const made = document.createElement(name);
  if (part) made.className = made.part = part;
  made.textContent = text;
  return made;
}

function button(text, part, does) {
  const made = element("button", part, text);
  made.type = "button";
  made.addEventListener("click", does);
  return made;
}

// The two sides have to be able to name each other.
function canBeLive(address) {
  return /^https?:$/.test(address.protocol) && self.origin !== "null";
}

function words(error) {
  return String(error?.message ?? error).replace(/\.$/, "");
}

function list(text) {
  try {
    const read = JSON.parse(text);
    return Array.isArray(read) ? read.map(String) : [text];
  } catch {
    return [text];
  }
}

if (!customElements.get("relp-figure")) customElements.define("relp-figure", RelpFigure);
