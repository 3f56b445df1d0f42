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

law.download = (text) => {
  if (!text) return;
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

// English. Statutes, questions and answers stay as they are: they stand under lang="ko" or in the conversation.
const LANGUAGE = "law-language";
const english = localStorage.getItem(LANGUAGE) === "en";
document.documentElement.lang = english ? "en" : "ko";

const PATTERNS = ENGLISH.patterns.map(([korean, words]) => [new RegExp(`^${korean}$`), words]);
// A visitor's own words and the app's examples are nobody's to reword.
const KEPT = `[lang="ko"]:not(html), script, style, .example, #chat .user${english ? "" : ", #chat .message-content"}`;
const NAMES = ["aria-label", "title", "placeholder", "data-name", "alt"];
// Gradio words these few messages in English only, in the browser, where the server has no say in them.
const KOREAN = [
  [/^Error\b/, "오류"],
  [/^Warning\b/, "주의"],
  [/File\(s\) exceed the maximum allowed size of ([\d.]+) Mb: (.*)/i, "파일이 너무 큽니다(한도 $1MB): $2"],
  [/^Copy message$/, "답 복사"],
];

function inEnglish(text) {
  const bare = text.trim();
  if (!/[가-힣]/.test(bare)) return null;
  let said = ENGLISH.texts[bare];
  for (const [pattern, words] of said === undefined ? PATTERNS : []) {
    if (pattern.test(bare)) {
      said = bare.replace(pattern, words);
      break;
    }
  }
  return said === undefined ? null : text.replace(bare, () => said);
}

function inKorean(text) {
  for (const [pattern, words] of KOREAN) if (pattern.test(text)) return text.replace(pattern, words);
  return null;
}

function translate(root) {
  const say = english ? inEnglish : inKorean;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, (node) => {
    const kept = node.nodeType === 1 && node.matches(KEPT);
    return kept ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
  });
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    if (node.nodeType === 3) {
      if (node.parentElement.matches("textarea")) continue;
      const said = say(node.data);
      if (said !== null && said !== node.data) node.data = said;
    } else if (node.nodeType === 1) {
      for (const name of NAMES) {
        const said = node.hasAttribute(name) ? say(node.getAttribute(name)) : null;
        if (said !== null) node.setAttribute(name, said);
      }
    }
  }
}

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
      const parent = node.nodeType === 1 ? node : node.parentElement;
      if (!parent || parent.closest(KEPT)) continue;
      translate(node);
    }
  }
}).observe(document, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: NAMES });

function begin() {
  document.body.append(speech);
  translate(document.body);
}

// Gradio may bring this script in before or after the page has been read.
if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
else begin();
