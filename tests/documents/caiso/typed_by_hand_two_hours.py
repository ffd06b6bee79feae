"""Two hours of a hub in the shape of an OASIS answer: five rows an hour, unordered, in a zip."""

import io
import zipfile

HEADER = (
    "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,"
    "LMP_TYPE,XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,MW,GROUP"
)
NODE = "TH_NP15_GEN-APND"


def row(hour: int, kind: str, amount: str, *, ends: int | None = None) -> str:
    until = hour + 1 if ends is None else ends
    return (
        f"2026-04-01T{hour:02}:00:00-00:00,2026-04-01T{until:02}:00:00-00:00,2026-04-01,{hour - 6},0,"
        f"{NODE},{NODE},{NODE},DAM,{kind},LMP_PRC,{NODE},ALL,0,{amount},1"
    )


ROWS = (
    row(8, "MCC", "-1.5"),
    row(7, "LMP", "31.25"),
    row(8, "LMP", "-4.5"),
    row(7, "MCE", "30"),
    row(7, "MCL", "1.25"),
)


def packed(name: str, text: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
    return made.getvalue()


def workbook() -> bytes:
    return packed("20260401_PRC_LMP_DAM.csv", "\n".join((HEADER, *ROWS, "")))
