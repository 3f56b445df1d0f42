"""`python -m rag ask QUESTION`, `python -m rag eval FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from rag.answer import cite, coming_text
from rag.appended import ADDENDA, ANNEXES
from rag.console import say, told_plainly
from rag.errors import LawError
from rag.evaluation import DEPTH, metrics, rank_all, read_questions, run_line
from rag.feedback import FILE, as_question_set, read_opinions
from rag.filters import Filter
from rag.llm import Llm, try_open
from rag.questions import SPLITS
from rag.related import Related, Relative, related
from rag.retriever import STAGES, Search, StatuteRetriever, open_retriever
from rag.settings import settings
from rag.written import Answer, answer_json, answers, plain

app = typer.Typer(add_completion=False, no_args_is_help=True, help="법령 질의응답: 질문에 답하는 조문을 찾습니다.")


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="질문")],
    k: Annotated[int | None, typer.Option("-k", min=1, max=50, help="조문 수")] = None,
    statute: Annotated[list[str] | None, typer.Option(help="이 법령에서만(여러 번 쓸 수 있음)")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="이 종류에서만: 법률, 대통령령, 부령 …")] = None,
    ministry: Annotated[list[str] | None, typer.Option(help="이 소관부처의 법령에서만")] = None,
    addenda: Annotated[bool, typer.Option("--addenda", help="조문 대신 부칙에서 낱말로 찾음")] = False,
    annexes: Annotated[bool, typer.Option("--annexes", help="조문 대신 별표와 서식에서 낱말로 찾음")] = False,
    llm: Annotated[
        bool | None, typer.Option("--llm/--no-llm", help="언어모델의 답변(정하지 않으면 LAW_LLM이 있을 때)")
    ] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="JSON으로 출력")] = False,
) -> None:
    """질문에 답하는 조문을 찾아 유사도와 함께 보여 줍니다."""
    within = Filter(tuple(statute or ()), tuple(kind or ()), tuple(ministry or ()))
    with told_plainly(), open_retriever(settings()) as retriever:
        kinds = [name for name, wanted in ((ADDENDA, addenda), (ANNEXES, annexes)) if wanted]
        if kinds:
            search = retriever.search_appended(question, kinds, k, within=within)
        else:
            search = retriever.search(question, k, within=within)
        answer = _answer(search, retriever, False if kinds else llm)
        if as_json_:
            say(json.dumps(answer_json(search, answer), ensure_ascii=False, indent=2))
        else:
            if said := plain(answer):
                say(f"{said}\n")
            _print(
                search,
                {hit.article_id: related(retriever.store.texts, hit.edition, hit.article) for hit in search.hits},
            )


def _answer(search: Search, retriever: StatuteRetriever, llm: bool | None) -> Answer:
    """Return the answer, written by the language model if one is configured and not declined."""
    if llm and not settings().llm:
        raise LawError("언어모델이 정해져 있지 않습니다. LAW_LLM을 '제공자:모델' 꼴로 정해 주십시오.")
    model = None if llm is False else try_open(settings())
    if isinstance(model, Llm):
        say("답변을 쓰고 있습니다…", err=True)
    return list(answers(search, model, retriever.laws(), retriever.store.texts))[-1]


def _print(search: Search, around: Mapping[str, Related]) -> None:
    for note in search.notes:
        say(note)
    if search.abstained:
        say("이 질문에 답하는 조문을 찾지 못했습니다. 가까운 조문만 보입니다.")
    for number, hit in enumerate(search.hits, 1):
        effective = hit.edition.effective_phrase
        if hit.edition.coming(date.today()):
            effective += "(아직 시행 전)"
        say(f"\n{number}. {cite(hit)}  유사도 {hit.score:.3f}  [{', '.join(hit.signals)}]  {effective}")
        say(_marked(hit.article.text, hit.highlight))
        say(f"   {hit.url}")
        if hit.coming:
            say(f"   {coming_text(hit.coming)}")
        for title, relatives in _relatives(around[hit.article_id]):
            say(f"   {title}: {', '.join(f'{one.law} {one.label}' for one in relatives)}")


def _relatives(around: Related) -> list[tuple[str, Sequence[Relative]]]:
    rows = [("위임", around.delegated), ("근거", around.parents), ("벌칙", around.penalties), ("인용", around.cites)]
    return [(title, relatives) for title, relatives in rows if relatives]


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return an article's lines, those in a span with a mark at their left."""
    lines, position = [], 0
    for line in text.splitlines():
        inside = any(position < end and start < position + len(line) for start, end in spans)
        lines.append(f" {'▶' if inside else ' '} {line}")
        position += len(line) + 1
    return "\n".join(lines)


@app.command("eval")
def evaluate(
    file: Annotated[Path, typer.Argument(help="질문 묶음(JSONL)")],
    as_json_: Annotated[bool, typer.Option("--json", help="JSON으로 출력")] = False,
    run: Annotated[Path | None, typer.Option("--run", help="질문마다 상위 50개 조문을 적을 파일(JSONL)")] = None,
    stages: Annotated[str, typer.Option(help="쓸 단계(쉼표로 나눔)")] = ",".join(STAGES),
    known: Annotated[str, typer.Option(help="쓸 알려진 질문의 split(쉼표로 나눔)")] = ",".join(SPLITS),
) -> None:
    """질문 묶음으로 검색 품질을 잽니다."""
    with told_plainly(), open_retriever(settings()) as retriever:
        retriever.stages = _chosen(stages, STAGES)
        retriever.known_splits = _chosen(known, SPLITS)
        questions = read_questions(file)
        _warn_of_missing(retriever, {law for question in questions for law, _ in question.gold})
        search = _searcher(retriever)
        search(questions[0].question, DEPTH, ())  # the first search loads the index; it is not what is measured
        rankings = list(tqdm(rank_all(questions, search), total=len(questions), unit="질문", file=sys.stderr))
        if run:
            run.write_text("".join(run_line(ranking) + "\n" for ranking in rankings), "utf-8")
        figures = metrics(rankings)
        say(json.dumps(figures, ensure_ascii=False, indent=2) if as_json_ else _table(figures))


@app.command("feedback")
def feedback_questions(
    file: Annotated[Path | None, typer.Argument(help="의견 파일. 없으면 자료 폴더의 feedback.jsonl")] = None,
) -> None:
    """앱에서 모은 의견을 `eval`이 읽는 질문 묶음(JSONL)으로 출력합니다."""
    with told_plainly():
        opinions = read_opinions(file or settings().home / FILE)
        for row in as_question_set(opinions):
            say(json.dumps(row, ensure_ascii=False))
        disliked = sum(not opinion.liked for opinion in opinions)
        if disliked:
            say(f"도움이 안 된 답 {disliked}개는 맞는 조문을 사람이 정해야 하므로 뺐습니다.", err=True)


def _chosen(names: str, known: Sequence[str]) -> frozenset[str]:
    chosen = frozenset(name.strip() for name in names.split(",") if name.strip())
    if unknown := chosen - set(known):
        raise LawError(f"모르는 이름입니다: {', '.join(sorted(unknown))}. 쓸 수 있는 것: {', '.join(known)}")
    return chosen


def _searcher(retriever: StatuteRetriever) -> Callable[[str, int, Sequence[str]], Search]:
    return lambda question, k, history: retriever.search(question, k, history, highlight=False)


def _warn_of_missing(retriever: StatuteRetriever, laws: set[str]) -> None:
    missing = sorted(laws - set(retriever.laws().editions))
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        say(f"주의: 정답 법령 {len(missing)}개가 색인에 없습니다({shown}).", err=True)


def _table(figures: dict[str, float | None]) -> str:
    return "\n".join(
        f"{name:18} {'-' if value is None else value if isinstance(value, int) else f'{value:.4f}'}"
        for name, value in figures.items()
    )


if __name__ == "__main__":
    app()
