// Keeps one version of the page, whole, so that it opens without a network. A version is what the build
// wrote into FILES; it is never mixed with another one, and the next one is used when no tab is open that
// began with this one.

// Each file by its path in the page's folder, the page itself by "", with its SHA-256.
const FILES = {};

// Which models the server has: nothing that a version is made of.
const HERE = "models/here.json";

const CACHE = "relp-page";
const SCOPE = self.registration.scope;
// What is kept has the headers below, which versions before these had not.
const key = (path) => `${SCOPE}${path}?isolated-${FILES[path]}`;

// The page is isolated from other origins: then its workers may have one memory. What comes from elsewhere is asked
// for by CORS, and the page itself stands in others' pages as before.
const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "cross-origin",
};

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(removeOthers()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = pathOf(request.url);
  if (request.method === "GET" && Object.hasOwn(FILES, path) && !request.headers.has("range")) {
    event.respondWith(answer(path, request));
  } else if (path === HERE) {
    // A server that is gone has none.
    event.respondWith(fetch(request).catch(() => new Response("{}")));
  }
});
self.addEventListener("message", (event) => {
  if (event.data === "use") event.waitUntil(use(event.source));
});

function pathOf(url) {
  const bare = url.split(/[?#]/, 1)[0];
  if (!bare.startsWith(SCOPE)) return null;
  const path = bare.slice(SCOPE.length);
  return path === "index.html" ? "" : path;
}

// What is there already, of the version before or of a try that was cut, is not fetched again.
async function keep() {
  const cache = await caches.open(CACHE);
  const fetchMissing = async (path) => {
    if (await cache.match(key(path))) return;
    const response = await fetch(SCOPE + path, { cache: "no-cache" });
    const bytes = await response.arrayBuffer();
    if (!response.ok || (await sha256(bytes)) !== FILES[path]) {
      throw new Error(`${path || "the page"} is not the one of this version`);
    }
    const type = response.headers.get("Content-Type") ?? "application/octet-stream";
    await cache.put(key(path), new Response(bytes, { headers: { "Content-Type": type, ...ISOLATED } }));
  };
  await Promise.all(Object.keys(FILES).map(fetchMissing));
}

async function sha256(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function removeOthers() {
  const cache = await caches.open(CACHE);
  const current = new Set(Object.keys(FILES).map(key));
  const old = (await cache.keys()).filter((request) => !current.has(request.url));
  await Promise.all(old.map((request) => cache.delete(request)));
}

// The network comes second, and only for what the browser has dropped: a server that does not answer
// holds nothing up.
async function answer(path, request) {
  return (await caches.match(key(path), { cacheName: CACHE })) ?? isolated(await fetch(request));
}

// A worker of an isolated page has to be isolated as well.
function isolated({ body, status, statusText, headers }) {
  return new Response(body, { status, statusText, headers: { ...Object.fromEntries(headers), ...ISOLATED } });
}

// Another tab would go on with the engine of this version and the files of the next.
async function use(asking) {
  const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tabs = all.filter((client) => client.url.startsWith(SCOPE));
  if (tabs.length > 1) asking.postMessage("others");
  else await self.skipWaiting();
}
