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
        "figure.progression_visit": ("progression", "疾病进展"),
        "figure.swimmer": ("Time on study and response · {criteria}", "随访时间与疗效 · {criteria}"),
        "figure.swimmer_alt": (
            "Time on study of {patients} patients, up to {weeks} weeks; progression: {progressed}, death: {died}.",
            "{patients} 例患者的随访时间，最长 {weeks} 周；进展：{progressed} 例，死亡：{died} 例。",
        ),
        "figure.clock": ("treatment begun", "开始治疗"),
        "figure.on_treatment": ("on treatment", "治疗期间"),
        "figure.not_assessed": ("heard of, not imaged", "有随访，无影像"),
        "figure.censored": ("no event (censored)", "无事件（删失）"),
    }
)
"""Strings of the figures alone."""
