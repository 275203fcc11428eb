// Keeps what the page is made of, so that it opens again without a network. The network comes first: what
// is kept is only used where there is no answer at all, so that an old part never stands beside a new one
// while the server can be reached.
const CACHE = "relp-page";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// What was fetched before this worker was in charge.
self.addEventListener("message", (event) => {
  if (!Array.isArray(event.data)) return;
  const keep = async () => {
    const cache = await caches.open(CACHE);
    const own = event.data.filter((url) => typeof url === "string" && isOwn(url));
    // What cannot be kept is missing without a network, and no other.
    await Promise.allSettled(own.map((url) => cache.add(url)));
    event.ports[0]?.postMessage("kept");
  };
  event.waitUntil(keep());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && isOwn(request.url) && !request.headers.has("range")) {
    event.respondWith(answer(event, request));
  }
});

function isOwn(url) {
  return new URL(url, self.location.href).href.startsWith(self.registration.scope);
}

async function answer(event, request) {
  try {
    const response = await fetch(request);
    if (response.ok) {
      const copy = response.clone();
      event.waitUntil(keep(request, copy));
    }
    return response;
  } catch (error) {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
    if (kept) return kept;
    throw error;
  }
}

async function keep(request, response) {
  try {
    const cache = await caches.open(CACHE);
    await cache.put(request, response);
  } catch {
    // The storage is full, or the response was cut: it is as if it had not been kept.
  }
}
