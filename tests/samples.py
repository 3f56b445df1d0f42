"""Statutes made for tests."""

from __future__ import annotations

from pathlib import Path

MINI = """\
---
제목: {title}
법령ID: '{law_id}'
법령구분: 법률
소관부처:
- 법무부
공포일자: {promulgated}
공포번호: '{number}'
시행일자: {effective}
상태: 시행
---

# {title}

## 제1장 총칙

##### 제1조 (목적)

이 법은 마을 빨래터의 이용 질서를 정함을 목적으로 한다.

##### 제2조 (이용 시간)

**①** 빨래터는 오전 6시부터 오후 9시까지 이용할 수 있다. <개정 2020.1.1>

**②** 다음 각 호의 어느 하나에 해당하는 사람은 시간의 제한을 받지 아니한다.

  1\\. 신생아가 있는 가구의 구성원
  2\\. 세탁업을 하는 사람

##### 제3조

삭제 <2019.1.1>

##### 제3조의2 (벌칙)

{penalty}

## 부칙

부칙 <제1호,2018.1.1>


제1조 (시행일) 이 법은 공포한 날부터 시행한다.
"""


def mini(
    folder: Path,
    file: str = "빨래터법.md",
    *,
    title: str = "빨래터의 이용에 관한 법률",
    law_id: str = "999001",
    number: str = "00001",
    promulgated: str = "2020-01-01",
    effective: str = "2020-01-01",
    penalty: str = "제2조를 위반한 사람에게는 10만원 이하의 과태료를 부과한다.",
) -> Path:
    """Write a statute of four articles and return its path."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    text = MINI.format(
        title=title, law_id=law_id, number=number, promulgated=promulgated, effective=effective, penalty=penalty
    )
    path.write_text(text, "utf-8")
    return path
