"""Titles, axes and legends of the figures of `mdanderson.plot`: key -> (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["FIGURES"]

FIGURES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "figure.patients_shown": ("{shown} of {all} patients", "{all} 例患者中的 {shown} 例"),
        "figure.nothing": ("nothing to show", "无可显示的数据"),
        "figure.diameters": ("sum of diameters", "径线之和"),
        "figure.products": ("sum of products of diameters", "径线乘积之和"),
        "figure.long_axes": ("sum of longest diameters", "最长径之和"),
        "figure.sul_peak": ("SULpeak of the hottest lesion", "最高摄取病灶的 SULpeak"),
        "figure.suv_max": ("sum of SUVmax", "SUVmax 之和"),
        "figure.change_axis": ("change of {quantity} since baseline", "{quantity}较基线的变化"),
        "figure.weeks_axis": ("weeks since baseline", "自基线起的周数"),
        "figure.limit_fall": ("PR: {limit}", "PR：{limit}"),
        "figure.limit_rise": ("PD: {limit} from nadir", "PD：较最小值 {limit}"),
        "figure.new_lesion": ("new lesion", "新发病灶"),
        "figure.not_measured": ("no change of size known", "无大小变化数据"),
        "figure.waterfall": ("Best change of {quantity} · {criteria}", "{quantity}的最佳变化 · {criteria}"),
        "figure.waterfall_alt": (
            "Best change of {quantity} since baseline of {patients} patients, from {highest} to {lowest}; {counts}.",
            "{patients} 例患者{quantity}较基线的最佳变化，从 {highest} 到 {lowest}；{counts}。",
        ),
        "figure.spider": ("Change of {quantity} · {criteria}", "{quantity}的变化 · {criteria}"),
        "figure.spider_alt": (
            "Change of {quantity} since baseline of {patients} patients over {weeks} weeks; {counts}.",
            "{patients} 例患者 {weeks} 周内{quantity}较基线的变化；{counts}。",
        ),
        "figure.size_unknown": ("size not known at this visit", "该次随访大小不详"),
        "figure.progression_visit": ("visit judged as progression", "评价为进展的随访"),
        "figure.cut": ("above {limit}, cut off there", "高于 {limit}，于该处截断"),
        "figure.cut_told": (
            "Above {limit} and drawn at it: {number} (highest {highest})",
            "高于 {limit} 而绘制于该处的数值：{number} 个（最高 {highest}）",
        ),
        "figure.swimmer": ("Time on study and response · {criteria}", "随访时间与疗效 · {criteria}"),
        "figure.swimmer_alt": (
            "Time on study of {patients} patients, up to {weeks} weeks; progression: {progressed}, death: {died}.",
            "{patients} 例患者的随访时间，最长 {weeks} 周；进展：{progressed} 例，死亡：{died} 例。",
        ),
        "figure.clock": ("treatment begun", "开始治疗"),
        "figure.on_treatment": ("on treatment", "治疗期间"),
        "figure.not_assessed": ("heard of, not imaged", "有随访，无影像"),
        "figure.censored": ("no event (censored)", "无事件（删失）"),
        "figure.flow": ("Category from visit to visit · {criteria}", "各次随访的评价结果 · {criteria}"),
        "figure.follow_up": ("follow-up {number}", "第 {number} 次随访"),
        "figure.left": ("no further visit", "无后续随访"),
        "figure.agreement": ("{one} against {other} · {item}", "{one} 与 {other} 的一致性 · {item}"),
        "figure.visit": ("follow-up visits", "各次随访"),
        "figure.best_response": ("best response", "最佳疗效"),
        "figure.kappa": (
            "kappa {kappa}, weighted {weighted}",
            "Kappa {kappa}，加权 {weighted}",
        ),
        "figure.pairs": ("{pairs} judged by both, {left_out} not", "两者均可评价 {pairs} 次，其余 {left_out} 次"),
        "figure.progression_free": (
            "Progression-free time by response · {criteria}",
            "按疗效的无进展时间 · {criteria}",
        ),
        "figure.landmark": ("from week {weeks} on", "自第 {weeks} 周起"),
        "figure.progression_free_axis": ("without progression or death", "无进展且存活的比例"),
        "figure.months_axis": ("months", "月"),
        "figure.at_risk": ("at risk:", "风险人数："),
        "figure.log_rank": ("log-rank p {p}", "对数秩检验 p {p}"),
        "figure.curve": (
            "{group}: n = {patients}, events {events}, median {median}",
            "{group}：n = {patients}，事件 {events}，中位 {median}",
        ),
        "figure.months": ("{number} months", "{number} 个月"),
        "figure.not_reached": ("not reached", "未达到"),
        "figure.response": ("response (CR, PR)", "缓解（CR、PR）"),
        "figure.no_response": ("no response (SD, PD, NE)", "未缓解（SD、PD、NE）"),
        "figure.lesions": ("Lesions of {patient}", "{patient} 的病灶"),
        "figure.lesions_alt": (
            "{title}: {lesions} lesions over time; {quantities}.",
            "{title}：{lesions} 个病灶随时间的变化；{quantities}。",
        ),
        "figure.size_axis": ("long + short axis (mm)", "长径 + 短径（mm）"),
        "figure.size_change_axis": ("change of size since baseline", "大小较基线的变化"),
        "figure.density_axis": ("median density (HU)", "密度中位数（HU）"),
        "figure.signal_axis": ("signal / normal marrow", "信号 / 正常骨髓"),
        "figure.uptake_axis": ("uptake / reference bone", "摄取 / 参考骨"),
        "figure.sul_axis": ("SULpeak (g/ml)", "SULpeak（g/ml）"),
        "figure.normal_marrow": ("normal marrow", "正常骨髓"),
        "figure.reference_bone": ("reference bone", "参考骨"),
        "figure.lytic_below": ("lytic below", "低于此为溶骨性"),
        "figure.sclerotic_above": ("sclerotic above", "高于此为硬化"),
        "figure.more_lesions": ("{number} smaller lesions", "另有 {number} 个较小病灶"),
        "figure.not_judged": ("not judged at this visit", "该次随访未评价"),
    }
)
"""Strings of the figures alone."""
