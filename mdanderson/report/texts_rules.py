"""What the rows of the criteria say, in Chinese: text of the row -> Chinese. A test asks for every row of every set."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["RULES_ZH"]

RULES_ZH: Mapping[str, str] = MappingProxyType(
    {
        "complete sclerotic fill-in of a lytic lesion": "溶骨性病灶完全硬化填充",
        "bone density back to normal": "骨密度恢复正常",
        "signal back to normal": "信号恢复正常",
        "tracer uptake back to normal": "示踪剂摄取恢复正常",
        "new sclerotic rim, or partial sclerotic fill-in": "新生硬化缘，或部分硬化填充",
        "osteoblastic flare: new sclerotic lesions, or lesions newly visible through a sclerotic rim, together with "
        "other signs of PR and no progressing bone disease": (
            "成骨闪烁现象：新出现的硬化病灶或因硬化缘而新显示的病灶，同时有其他部分缓解征象且无骨病进展"
        ),
        "size falls by >= 50 %": "大小缩小 ≥ 50 %",
        "size falls by >= 50 %, judged by a reader": "大小缩小 ≥ 50 %，由阅片者判断",
        "uptake falls by >= 50 %, judged by a reader or by the count ratio": "摄取下降 ≥ 50 %，由阅片者或计数比判断",
        "size rises by >= 25 %": "大小增加 ≥ 25 %",
        "size rises by >= 25 %, judged by a reader": "大小增加 ≥ 25 %，由阅片者判断",
        "uptake rises by >= 25 %": "摄取增加 ≥ 25 %",
        "a new bone metastasis": "新发骨转移",
        "no change": "无变化",
        "rises by < 25 % or falls by < 50 %": "增加 < 25 % 或缩小 < 50 %",
        "rises by < 25 % or falls by < 50 %, judged by a reader": "增加 < 25 % 或缩小 < 50 %，由阅片者判断",
        "no new bone metastasis": "无新发骨转移",
        "normalisation of bone density": "骨密度正常化",
        "normalisation of signal intensity": "信号强度正常化",
        "normalisation of tracer uptake": "示踪剂摄取正常化",
        "sclerotic rim, or partial sclerotic fill-in, of a lytic lesion": "溶骨性病灶出现硬化缘或部分硬化填充",
        "sclerosis of a previously undetected lesion, beside another sign of PR": (
            "既往未检出的病灶出现硬化，同时有其他部分缓解征象"
        ),
        "osteoblastic flare on the scan, which is not progression": "骨扫描上的成骨闪烁现象，不属于进展",
        "regression of a measurable lesion": "可测量病灶消退",
        "decrease of a blastic, or regression of another non-measurable lesion": (
            "成骨性病灶减少，或其他不可测量病灶消退"
        ),
        "regression of a lesion on the scan": "骨扫描上病灶消退",
        "any existing measurable lesion larger": "任一原有可测量病灶增大",
        "a blastic or lytic non-measurable lesion larger": "成骨性或溶骨性不可测量病灶增大",
        "more activity on the scan, flare excluded": "骨扫描活性增加，已排除闪烁现象",
        "a new lesion": "新发病灶",
        "a measurable lesion neither larger nor in regression": "可测量病灶既未增大也未消退",
        "a non-measurable lesion neither larger nor in regression": "不可测量病灶既未增大也未消退",
        "no new lesion": "无新发病灶",
        "product of one or more lesions rises by >= 25 %": "一个或多个病灶的径线乘积增加 ≥ 25 %",
        "every lesion is gone": "所有病灶消失",
        "sum of products falls by >= 50 % from baseline": "乘积之和较基线下降 ≥ 50 %",
        "neither": "以上均不符合",
        "a lesion progresses while others respond": "有病灶进展而其他病灶缓解",
        "sum of diameters rises by >= 20 % and >= 5 mm from nadir": "径线之和较最低点增加 ≥ 20 % 且 ≥ 5 mm",
        "unequivocal progression of non-targets by a reader's word, or by `nontarget_rise` and >= 5 mm where that is "
        "set": ("非靶病灶明确进展：由阅片者陈述，或在设定 `nontarget_rise` 时按该值且 ≥ 5 mm"),
        "after a complete response a lesion is back, where it is measured by >= 5 mm (nodes: not normal any more)": (
            "完全缓解后病灶复现，可测量时 ≥ 5 mm（淋巴结：不再正常）"
        ),
        "no lesion at baseline, none now": "基线无病灶，目前亦无",
        "every target and non-target gone, nodes below 10 mm": "所有靶病灶和非靶病灶消失，淋巴结短径 < 10 mm",
        "sum of diameters falls by >= 30 % from baseline, or every target is gone but not every non-target": (
            "径线之和较基线下降 ≥ 30 %，或所有靶病灶消失而非靶病灶未全部消失"
        ),
        "non-targets only: not all gone, none unequivocally worse": "仅有非靶病灶：未全部消失，亦无明确进展",
        "target sum up a further >= 5 mm since iUPD": "靶病灶总和自 iUPD 后再增加 ≥ 5 mm",
        "any further growth of non-targets since iUPD": "非靶病灶自 iUPD 后继续增大",
        "sum of new lesions up >= 5 mm since iUPD": "新发病灶总和自 iUPD 后增加 ≥ 5 mm",
        "another new lesion since iUPD": "自 iUPD 后又有新发病灶",
        "a kind of progression that did not hold at iUPD": "出现 iUPD 时所没有的另一类进展",
        "SULpeak of the hottest lesion rises by >= 30 % and >= 0.8 units from its lowest earlier value": (
            "最热病灶的 SULpeak 较此前最低值增加 ≥ 30 % 且 ≥ 0.8"
        ),
        "total lesion glycolysis of the baseline lesions rises by > 75 % from its lowest earlier value": (
            "基线病灶的糖酵解总量较此前最低值增加 > 75 %"
        ),
        "SULpeak of the hottest lesion falls by >= 30 % and >= 0.8 units from the hottest at baseline": (
            "最热病灶的 SULpeak 较基线最热病灶下降 ≥ 30 % 且 ≥ 0.8"
        ),
        "sum of SUVmax rises by > 25 % from its lowest earlier value; from 0, any uptake again": (
            "SUVmax 之和较此前最低值增加 > 25 %；由 0 起再次出现摄取"
        ),
        "sum of SUVmax falls by >= 25 % from baseline": "SUVmax 之和较基线下降 ≥ 25 %",
        "the bone progressed at an earlier scan": "此前的骨扫描已判定骨进展",
        "first scan on treatment: >= 2 new foci, and >= 2 more on the next scan >= 6 weeks later": (
            "治疗后首次骨扫描：新发灶 ≥ 2 个，且至少 6 周后的下一次扫描再增 ≥ 2 个"
        ),
        "later scan: >= 2 new foci since the first scan on treatment, still there (or more) >= 6 weeks later": (
            "后续骨扫描：自治疗后首次扫描起新发灶 ≥ 2 个，至少 6 周后仍存在（或更多）"
        ),
        ">= 2 new foci that no scan >= 6 weeks later has settled": "新发灶 ≥ 2 个，尚无至少 6 周后的扫描予以确认",
        "first scan on treatment: fewer than 2 more foci follow": "治疗后首次骨扫描：其后新增少于 2 个",
        "later scan: fewer than 2 of its new foci persist": "后续骨扫描：其新发灶中持续存在者少于 2 个",
        "no focus now: none at baseline, or all of them gone or of normal uptake": (
            "目前无病灶：基线即无，或均已消失或摄取正常"
        ),
        "fewer than 2 new foci": "新发灶少于 2 个",
    }
)
"""Reasons, which quote numbers, are data and stay English."""
