"""Example questions, each tied to the statute that answers it: only those whose statute is indexed are offered."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, zip_longest

from rag.statutes import normalize_title

# Widely asked statutes first; of each statute the best question first.
QUESTIONS: dict[str, tuple[str, ...]] = {
    "주택임대차보호법": ("보증금을 돌려받지 못하면 어떻게 하나요?", "임차인은 계약 갱신을 몇 번 요구할 수 있나요?"),
    "근로기준법": ("해고하려면 며칠 전에 알려야 하나요?", "1년 일하면 연차는 며칠인가요?"),
    "민법": ("다른 사람에게 손해를 입히면 배상 책임이 있나요?", "유언은 어떤 방식으로 해야 하나요?"),
    "형법": ("절도를 하면 어떤 처벌을 받나요?", "정당방위는 처벌받지 않나요?"),
    "도로교통법": ("술을 마시고 운전하면 어떻게 되나요?", "어린이 보호구역은 어떻게 지정하나요?"),
    "대한민국헌법": (
        "대통령의 임기는 몇 년인가요?",
        "국회의원은 몇 명 이상이어야 하나요?",
        "체포되면 변호인을 부를 수 있나요?",
        "헌법 개정은 누가 제안하나요?",
        "대통령이 탄핵되려면 국회의원 몇 명이 찬성해야 하나요?",
        "국민은 누구나 교육을 받을 권리가 있나요?",
    ),
    "상가건물 임대차보호법": ("가게 권리금을 집주인이 못 받게 막아도 되나요?", "상가 임대차 기간은 얼마나 보장되나요?"),
    "개인정보 보호법": ("내 개인정보를 삭제해 달라고 요구할 수 있나요?", "CCTV는 아무 데나 달아도 되나요?"),
    "최저임금법": ("최저임금보다 적게 주면 어떻게 되나요?",),
    "남녀고용평등과 일ㆍ가정 양립 지원에 관한 법률": ("육아휴직은 얼마 동안 쓸 수 있나요?",),
    "소액사건심판법": ("소액사건은 판사 앞에 몇 번 나가야 하나요?", "이행권고결정이 무엇인가요?"),
    "주민등록법": ("이사하면 전입신고는 며칠 안에 해야 하나요?", "주민등록번호를 바꿀 수 있나요?"),
    "부동산등기법": ("등기는 누가 신청하나요?", "가등기는 언제 할 수 있나요?"),
    "상법": ("이사의 선임은 어디에서 하나요?", "주주총회 소집 통지는 언제 하나요?"),
    "민사소송법": ("재판에 안 나가면 어떻게 되나요?",),
    "형사소송법": ("체포되면 변호인을 부를 수 있나요?",),
    "민사집행법": ("월급은 얼마까지 압류할 수 있나요?",),
    "근로자퇴직급여 보장법": ("퇴직금은 언제까지 줘야 하나요?",),
    "산업재해보상보험법": ("출퇴근하다 다쳐도 산재인가요?",),
    "고용보험법": ("실업급여를 받으려면 얼마나 일해야 하나요?",),
    "국민건강보험법": ("건강보험 피부양자는 누구인가요?",),
    "국민연금법": ("국민연금은 몇 살부터 받나요?",),
    "소득세법": ("집을 팔 때 세금을 안 내는 경우는 언제인가요?",),
    "부가가치세법": ("간이과세자는 누구인가요?",),
    "상속세 및 증여세법": ("배우자에게 증여하면 얼마까지 공제되나요?",),
    "약관의 규제에 관한 법률": ("고객에게 불리한 약관은 효력이 있나요?",),
    "전자상거래 등에서의 소비자보호에 관한 법률": ("인터넷에서 산 물건을 며칠 안에 반품할 수 있나요?",),
    "저작권법": ("남의 글을 인용해도 되나요?",),
    "학교폭력예방 및 대책에 관한 법률": ("학교폭력 가해 학생은 어떤 조치를 받나요?",),
    "공익신고자 보호법": ("공익신고를 했다고 불이익을 주면 어떻게 되나요?",),
    "가사소송법": ("가사조정은 어떻게 신청하나요?",),
    "가족관계의 등록 등에 관한 법률": ("출생신고는 언제까지 해야 하나요?",),
    "교통사고처리 특례법": ("교통사고를 내도 처벌받지 않는 경우가 있나요?",),
    "이자제한법": ("이자는 연 몇 퍼센트까지 받을 수 있나요?",),
}


def examples(titles: Collection[str], limit: int = 6) -> list[str]:
    """Return up to `limit` questions that statutes of these titles answer: one of each statute before a second."""
    indexed = {normalize_title(title) for title in titles}
    tables = [questions for title, questions in QUESTIONS.items() if normalize_title(title) in indexed]
    rounds = chain.from_iterable(zip_longest(*tables))
    return [question for question in rounds if question][:limit]
