// A thread of this program's.

import { initSync, lend } from "./threaded/relp-bench-browser.js";

self.onmessage = ({ data: { module, memory } }) => {
  initSync({ module, memory });
  self.postMessage(null);
  lend();
};
