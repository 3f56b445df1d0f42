// What the page does by itself: opens articles, copies, saves a conversation, moves the focus, and says it in English.
const law = (window.law = {});
const speech = document.createElement("div");
speech.className = "sr-only";
speech.id = "law-speech";
speech.setAttribute("role", "status");

function say(text) {
  speech.textContent = "";
  setTimeout(() => (speech.textContent = text), 50);
}

// Opening an article. `law.open` is set by a component, which hands the reference to the app.
function open(reference, remember) {
  if (!law.open) return;
  if (remember) history.pushState({ reference }, "", `?open=${encodeURIComponent(reference)}`);
  law.open(reference);
}

law.shown = (reference) => {
  for (const old of document.querySelectorAll("#outline [aria-current]")) old.removeAttribute("aria-current");
  const entry = [...document.querySelectorAll("#outline [data-open]")].find((a) => a.dataset.open === reference);
  if (entry) {
    entry.setAttribute("aria-current", "true");
    for (let box = entry.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    const side = document.querySelector("#outline .law-outline");
    side.scrollTop += entry.getBoundingClientRect().top - side.getBoundingClientRect().top - side.clientHeight / 3;
  }
  document.querySelector("#law-here")?.scrollIntoView({ block: "start" });
  document.querySelector("#law-here")?.focus({ preventScroll: true });
};

addEventListener("popstate", (event) => {
  if (event.state?.reference) open(event.state.reference, false);
  else document.querySelector("#tabs button[role=tab]")?.click();
});

function showCard(name) {
  const card = document.getElementById(name);
  if (!card) return false;
  document.querySelector("#tabs button[role=tab]")?.click();
  card.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  card.focus({ preventScroll: true });
  return true;
}

addEventListener(
  "click",
  (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || !(event.target instanceof Element)) return;
    const link = event.target.closest("a[href]");
    const language = event.target.closest("button[data-language]");
    if (language) {
      localStorage.setItem(LANGUAGE, language.dataset.language);
      location.reload();
    }
    const copier = event.target.closest("button[data-copy]");
    if (copier) copy(copier);
    if (!link) return;
    const hash = link.getAttribute("href").match(/#(article-.+)$/);
    if (link.dataset.open) open(link.dataset.open, true);
    else if (!hash || !showCard(decodeURIComponent(hash[1]))) return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);

// Copying. What is copied is what is shown, less what only a screen reader is told.
function linesOf(article) {
  return [...article.querySelectorAll(".law-text .law-line, .law-text .law-table")].flatMap((line) => {
    const bare = line.cloneNode(true);
    for (const hidden of bare.querySelectorAll(".sr-only")) hidden.remove();
    const depth = Number(line.className.match(/depth-(\d)/)?.[1] ?? 0);
    return bare.textContent.split("\n").map((text) => ({ depth, text }));
  });
}

function copied(tools, form) {
  const { cite, facts, url } = tools.dataset;
  if (form === "cite") return cite;
  const lines = linesOf(tools.closest("article"));
  if (form === "text") {
    return [cite, ...lines.map(({ depth, text }) => "  ".repeat(depth) + text), `(${facts}, ${url})`].join("\n");
  }
  const plain = (text) => text.replace(/[\\`*_[\]<>#|~]/g, "\\$&");
  const quoted = lines.map(({ depth, text }) => `> ${"\u3000".repeat(depth)}${plain(text)}  `);
  return [`**${plain(cite)}** (${facts})`, "", ...quoted, "", `<${encodeURI(decodeURI(url))}>`].join("\n");
}

async function copy(button) {
  const text = copied(button.closest(".law-tools"), button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard outside https and localhost.
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.dataset.done = "true";
  setTimeout(() => delete button.dataset.done, 1600);
  say(english ? "Copied." : "복사했습니다.");
}

law.download = (markdown) => {
  if (!markdown) return;
  const text = english ? markdown.split("\n").map((line) => inEnglish(line) ?? line).join("\n") : markdown;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/markdown;charset=utf-8" }));
  link.download = `law-${new Date().toISOString().slice(0, 10)}.md`;
  link.click();
  URL.revokeObjectURL(link.href);
};

// "/" goes to the question box from anywhere but a field.
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  document.querySelector("#tabs button[role=tab]")?.click();
  document.querySelector("#question textarea")?.focus();
  event.preventDefault();
});

// English. Statutes, questions and answers stay as they are: what stays is marked as Korean, for screen readers.
const LANGUAGE = "law-language";
const english = localStorage.getItem(LANGUAGE) === "en";
document.documentElement.lang = english ? "en" : "ko";

const HANGUL = /[가-힣]/;
const PATTERNS = ENGLISH.patterns.map(([korean, words]) => [new RegExp(`^${korean}$`), words]);
// Those that say most come first: what is put into a text may be anything.
const MESSAGES = Object.entries(ENGLISH.messages)
  .filter(([korean]) => korean.includes("{}"))
  .map(([korean, words]) => [korean.split("{}"), words])
  .sort(([a], [b]) => b.join("").length - a.join("").length);
// A visitor's own words and the app's examples are nobody's to reword.
const KEPT = `[lang="ko"]:not(html), script, style, .example, #chat .user${english ? "" : ", #chat .message-content"}`;
const OWN = ".example, #chat .user, [role=option], #scope .token span, #files .file-name, #files .filename";
const NAMES = ["aria-label", "title", "placeholder", "data-name", "alt"];
// Gradio words these few messages in English only, in the browser, where the server has no say in them.
const KOREAN = [
  [/^Error\b/, "오류"],
  [/^Warning\b/, "주의"],
  [/File\(s\) exceed the maximum allowed size of ([\d.]+) Mb: (.*)/i, "파일이 너무 큽니다(한도 $1MB): $2"],
  [/^Copy message$/, "답 복사"],
];

// What was put into a text that was made of these pieces; null where it was not.
function fitted(pieces, text) {
  const [first, last] = [pieces[0], pieces[pieces.length - 1]];
  const end = text.length - last.length;
  if (!text.startsWith(first) || !text.endsWith(last) || end < first.length) return null;
  const found = [];
  let position = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = text.indexOf(piece, position);
    if (at < 0 || at + piece.length > end) return null;
    found.push(text.slice(position, at));
    position = at + piece.length;
  }
  return [...found, text.slice(position, end)];
}

// {2~} is what was put second, without its particle.
function filled(words, found) {
  return words.replace(/\{(\d)(~?)\}/g, (_, number, bare) => {
    const said = bare ? found[number - 1].replace(/(?:은|는|을|를|이|가|으로|로)$/, "") : found[number - 1];
    return inside(said.trim());
  });
}

function inside(text) {
  return listed(text, ", ", true) ?? inEnglish(text) ?? listed(text, ", ") ?? text;
}

function listed(text, between, all = false) {
  const parts = text.split(between);
  const said = parts.map((part) => whole(part.trim()));
  const known = said.filter((one) => one !== null).length;
  if (parts.length === 1 || known < (all ? parts.length : 1)) return null;
  return parts.map((part, n) => said[n] ?? part).join(between);
}

function whole(text) {
  const said = ENGLISH.texts[text] ?? ENGLISH.messages[text];
  if (said !== undefined) return said;
  for (const [pattern, words] of PATTERNS) if (pattern.test(text)) return text.replace(pattern, words);
  const [, name, rest] = text.match(/^(.+?): (.+)$/s) ?? []; // what is said of a file begins with its name
  const after = rest && HANGUL.test(rest) ? (sentences(rest) ?? whole(rest)) : null;
  if (after !== null && !name.includes("니다")) return `${name}: ${after}`;
  for (const [pieces, words] of MESSAGES) {
    const found = fitted(pieces, text);
    if (found) return filled(words, found);
  }
  return null;
}

function sentences(text) {
  const parts = text.match(/.+?(?:[다오요)]\.(?=\s)|$)/gs) ?? [];
  const said = parts.map((part) => (HANGUL.test(part) ? whole(part.trim()) : part.trim()));
  return parts.length > 1 && !said.includes(null) ? said.join(" ") : null;
}

function inEnglish(text) {
  const bare = text.trim();
  if (!HANGUL.test(bare)) return null;
  const said = ENGLISH.texts[bare] ?? sentences(bare) ?? whole(bare) ?? listed(bare, " · ");
  return said === null ? null : text.replace(bare, () => said);
}

// Say it in place of a text; what of it is Korean still, such as a statute's name, is marked as that.
function reword(node, said) {
  const within = node.parentElement;
  const parts = said.split(/([가-힣](?:[가-힣\dㆍ·\s]*[가-힣\d])?)/);
  const ours = within.closest(".html-container, .message-content") && !within.matches(".prose, .message-content");
  if (!english || !ours || parts.length === 1) {
    if (said !== node.data) node.data = said;
    return;
  }
  node.replaceWith(...parts.map((part) => (HANGUL.test(part) ? korean(part) : part)));
}

function korean(text) {
  const marked = document.createElement("span");
  marked.lang = "ko";
  marked.textContent = text;
  return marked;
}

function inKorean(text) {
  for (const [pattern, words] of KOREAN) if (pattern.test(text)) return text.replace(pattern, words);
  return null;
}

function isKept(node) {
  return node.nodeType === 1 && node.matches(KEPT);
}

function markOwn(root) {
  if (!english || root.nodeType !== 1) return;
  for (const element of [root, ...root.querySelectorAll(OWN)]) if (element.matches(OWN)) element.lang = "ko";
}

function translate(root) {
  const say = english ? inEnglish : inKorean;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, (node) => {
    return isKept(node) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
  });
  if (isKept(root)) return;
  const nodes = [];
  for (let node = walker.currentNode; node; node = walker.nextNode()) nodes.push(node);
  for (const node of nodes) {
    if (node.nodeType === 3) {
      if (node.parentElement.matches("textarea")) continue;
      const said = say(node.data);
      if (said !== null) reword(node, said);
      else if (english && HANGUL.test(node.data) && node.parentElement.closest("#chat .bot .message-content")) reword(node, node.data);
    } else if (node.nodeType === 1) {
      for (const name of NAMES) {
        const said = node.hasAttribute(name) ? say(node.getAttribute(name)) : null;
        if (said !== null) node.setAttribute(name, said);
      }
    }
  }
}

// What a visitor types is mostly Korean, whatever the page speaks.
addEventListener("input", ({ target }) => {
  if (english && target.matches?.("input, textarea")) target.lang = HANGUL.test(target.value) ? "ko" : "";
});

// The conversation stays at its newest question while the answer grows under it.
let chatHeight = 0;

function followChat() {
  const question = [...document.querySelectorAll("#chat .user")].at(-1);
  const box = question?.closest(".bubble-wrap");
  if (!box || box.scrollHeight === chatHeight) return;
  chatHeight = box.scrollHeight;
  const below = question.getBoundingClientRect().top - box.getBoundingClientRect().top - 16;
  if (below > 0) box.scrollTop += below;
}

new MutationObserver((changes) => {
  followChat();
  for (const { target, type, addedNodes } of changes) {
    for (const node of type === "childList" ? addedNodes : [target]) {
      markOwn(node);
      const parent = node.nodeType === 1 ? node : node.parentElement;
      if (!parent || parent.closest(KEPT)) continue;
      translate(node);
    }
  }
}).observe(document, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: NAMES });

function begin() {
  document.body.append(speech);
  markOwn(document.body);
  translate(document.body);
}

// Gradio may bring this script in before or after the page has been read.
if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
else begin();
