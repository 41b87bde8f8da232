// Draws text from standard input as a terminal picture:
//   make run | head -n 20 | node docs/images/terminal.mjs > docs/images/make-run.svg
import { readFileSync } from "node:fs";

const lines = readFileSync(0, "utf8").replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").split("\n").map((l) => l.split("\r").pop());
while (lines.length && !lines.at(-1).trim()) lines.pop();
const escape = (s) => s.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const width = Math.max(...lines.map((l) => l.length)) * 8.43 + 40;
const height = lines.length * 19 + 56;
const colour = (l) => (/^STALE/.test(l) ? "#f0c674" : /^(IMAGE|First)/.test(l) ? "#8abeb7" : / High /.test(l) ? "#f2777a" : "#d4d4d4");
console.log(`<svg xmlns="http://www.w3.org/2000/svg" width="${width.toFixed(0)}" height="${height}" font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14">
<rect width="100%" height="100%" rx="8" fill="#1d1f21"/>
<circle cx="20" cy="18" r="6" fill="#ff5f56"/><circle cx="40" cy="18" r="6" fill="#ffbd2e"/><circle cx="60" cy="18" r="6" fill="#27c93f"/>
${lines.map((l, i) => `<text x="20" y="${52 + i * 19}" fill="${colour(l)}" xml:space="preserve">${escape(l)}</text>`).join("\n")}
</svg>`);
