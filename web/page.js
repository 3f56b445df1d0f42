// The page is Korean, whatever Gradio's own document says.
document.documentElement.lang = "ko";

// Gradio words these few messages in English only, in the browser, where the server has no say in them.
const WORDS = [
  [/^Error\b/, "오류"],
  [/^Warning\b/, "주의"],
  [/File\(s\) exceed the maximum allowed size of ([\d.]+) Mb: (.*)/i, "파일이 너무 큽니다(한도 $1MB): $2"],
];

function reword(node) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    for (const [english, korean] of WORDS) {
      if (english.test(text.data)) text.data = text.data.replace(english, korean);
    }
  }
}

new MutationObserver(() => document.querySelectorAll(".toast-body").forEach(reword)).observe(document, {
  childList: true,
  subtree: true,
});
