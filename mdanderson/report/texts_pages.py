"""Strings of the HTML report and the review forms alone: key -> (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["PAGES"]

PAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "page.title": ("Response of bone metastases", "骨转移瘤疗效评价"),
        "page.skip": ("To the content", "跳至正文"),
        "page.switch_theme": ("Dark", "深色"),
        "page.not_affiliated": (
            "Not for decisions about patients. Reasons and problems are quoted as the program wrote them, in English.",
            "不得用于患者诊疗决策。原因和问题说明按程序原文（英文）显示。",
        ),
        "page.cohort": ("Cohort", "队列"),
        "page.summary": ("Summary", "概要"),
        "page.patients": ("Patients", "患者"),
        "page.scored": ("scored", "已评价"),
        "page.partly": ("partly scored", "部分评价"),
        "page.failed": ("not scored", "未能评价"),
        "page.not_scored": ("This patient was not scored:", "该患者未能评价："),
        "page.partly_scored": (
            "Not everything of this patient could be read; what could be is below:",
            "该患者部分资料无法读取，其余评价见下：",
        ),
        "page.counted_from": ("from {date}", "自 {date} 起"),
        "page.see_problems": ("See all", "查看全部"),
        "page.response_rate": ("Response", "缓解率"),
        "page.control_rate": ("Disease control", "疾病控制率"),
        "page.median_progression_free": ("Median progression-free", "中位无进展时间"),
        "page.rates_note": (
            (
                "Response: complete or partial. Disease control: response or stable disease. Of all patients scored, "
                "with the exact 95 % confidence interval."
            ),
            "缓解：完全或部分缓解。疾病控制：缓解或疾病稳定。占全部已评价患者的比例，附精确 95% 置信区间。",
        ),
        "page.search": ("Search", "搜索"),
        "page.all": ("all", "全部"),
        "page.with_problems": ("with problems only", "仅显示有问题者"),
        "page.course": ("Course", "病程"),
        "page.best_change": ("Best change of sum", "径线之和最佳变化"),
        "page.first_response": ("First response", "首次缓解"),
        "page.progression_date": ("Progression", "进展日期"),
        "page.progression_free": ("Progression-free", "无进展时间"),
        "page.progression_free_days": ("Progression-free, days", "无进展时间（天）"),
        "page.lesions_baseline": ("Lesions at baseline", "基线病灶数"),
        "page.visits": ("Visits", "检查次数"),
        "page.censored_note": (
            (
                "Course: overall category at every visit by the first criteria set. +: censored, neither progression "
                "nor death was seen. *: made what it is by a reader."
            ),
            "病程：按首选评价标准，每次随访的总体评价。+：删失，未见进展或死亡。*：由阅片者陈述决定。",
        ),
        "page.sort_note": ("A heading sorts the table.", "点击表头可排序。"),
        "page.shown": ("{shown} of {all} patients shown", "显示 {all} 名患者中的 {shown} 名"),
        "page.no_match": ("No patient matches.", "没有符合条件的患者。"),
        "page.unfiltered": (
            "Summary, figures and problems below are of all patients.",
            "概要、图表和问题仍为全部患者。",
        ),
        "page.figures": ("Figures", "图表"),
        "page.severity": ("Severity", "级别"),
        "page.where": ("Where", "位置"),
        "page.what": ("What", "内容"),
        "page.way_out": ("Way out", "解决办法"),
        "page.no_problems": ("None.", "无。"),
        "page.show_lines": ("outline and diameters", "轮廓与径线"),
        "page.picture_size": ("size", "大小"),
        "page.contrast": ("contrast", "对比度"),
        "page.outcome": ("Outcome", "结局"),
        "page.timeline": ("Timeline", "时间线"),
        "page.week": ("week {week}", "第 {week} 周"),
        "page.change_note": (
            "Percent: change since baseline of what each set adds up (diameters; WHO products; PERCIST SUL).",
            "百分数：各标准所累加指标（径线之和；WHO 为乘积；PERCIST 为 SUL）相对基线的变化。",
        ),
        "page.changes": (
            "Change of long + short axis since baseline (%) by week; Σ: the sum:",
            "长径与短径之和较基线的变化（%），按周；Σ：总和：",
        ),
        "page.changes_alt": (
            "Change of long + short axis since baseline at the last visit: {told}",
            "末次随访时长径与短径之和较基线的变化：{told}",
        ),
        "page.left_out": ("{number} more in the tables", "另有 {number} 条见表格"),
        "page.why": ("Why", "依据"),
        "page.mixed": ("mixed", "混合反应"),
        "page.size_sum": ("Sum of diameters", "径线之和"),
        "page.lesions_assessed": ("Lesions assessed", "已评价病灶"),
        "page.lesions_new": ("New lesions", "新发病灶"),
        "page.bone_scan_index": ("Bone scan index", "骨扫描指数"),
        "page.by_size": ("By size", "按大小"),
        "page.by_density": ("By density", "按密度"),
        "page.by_signal": ("By signal", "按信号"),
        "page.by_uptake": ("By uptake", "按摄取"),
        "page.by_part": ("By itself", "单项评价"),
        "page.discordant": ("Says something else", "结果不一致"),
        "page.distance": ("{points} percentage points to the nearest limit", "距最近界值 {points} 个百分点"),
        "page.all_cases": ("All cases", "全部病例"),
        "page.lesions": ("Lesions", "病灶"),
        "page.overview": (
            "Every lesion at every visit: category and size (long + short axis, mm)",
            "各病灶每次随访的评价与大小（长径 + 短径，mm）",
        ),
        "page.no_pictures": (
            "There are no pictures. `score --fresh` without --no-report takes them; a reader's table has none.",
            "没有图像。若有影像，可用 score --fresh 重新评价（不加 --no-report）生成；读片表格本无图像。",
        ),
        "page.picture_note": (
            (
                "Every picture of a lesion is cut round the same place of the patient and shows the slice that was "
                "measured. Yellow (crimson on white): outline as segmented (dashed: carried over from another "
                "visit, nothing was segmented here). Blue: long axis. Pink, dashed: short axis; both leave a new "
                "sclerotic rim out, which outline, volume and density take in. HU and SUV are shown in one window at "
                "every visit; MR signal, counts and radiographs in one of their own."
            ),
            (
                "同一病灶的各图均以患者同一位置为中心，显示所测层面。黄色（白底为深红色）：勾画轮廓（虚线：由其他随访移置，此处未勾画）。"
                "蓝色：长径。粉色虚线：短径；两者不含新生硬化缘，轮廓、体积和密度则包含。"
                "各次随访的 HU 与 SUV 使用同一窗；MR 信号、计数和 X 线片各用其窗。"
            ),
        ),
        "page.open_viewer": ("Open viewer", "打开查看器"),
        "page.viewer_title": ("Lesion", "病灶"),
        "page.viewer_close": ("Close viewer", "关闭查看器"),
        "page.viewer_window": ("window", "窗宽窗位"),
        "page.viewer_pictured": ("as pictured", "同图像"),
        "page.viewer_bone": ("bone", "骨窗"),
        "page.viewer_cortex": ("cortex and metal", "骨皮质与金属"),
        "page.viewer_marrow": ("marrow", "骨髓"),
        "page.viewer_soft": ("soft tissue", "软组织"),
        "page.viewer_half": ("half as wide", "窄一半"),
        "page.viewer_double": ("twice as wide", "宽一倍"),
        "page.viewer_plane": ("plane", "层面"),
        "page.viewer_planes": ("three planes", "三平面"),
        "page.viewer_axial": ("axial", "横断面"),
        "page.viewer_coronal": ("coronal", "冠状面"),
        "page.viewer_sagittal": ("sagittal", "矢状面"),
        "page.viewer_volume": ("volume", "三维"),
        "page.viewer_outline": ("outlines", "轮廓"),
        "page.viewer_link": ("one place at all visits", "各次随访同步定位"),
        "page.viewer_keys": (
            (
                "Click or drag to move the cross-hair; the wheel and Page Up, Page Down go through the slices, the "
                "arrow keys move in the plane, the right button drags the window. Voxels are those of the image, in "
                "its own planes; the cross-hair is at the same place of the patient at every visit. Yellow (orange "
                "on white): the lesion as segmented; blue: its place, nothing is segmented here; pink: other lesions."
            ),
            (
                "点击或拖动可移动十字线；滚轮或 Page Up、Page Down 翻层，方向键在层面内移动，右键拖动调窗。"
                "体素与层面均为原始图像；各次随访的十字线位于患者同一位置。黄色（白底为橙色）：所勾画病灶；蓝色：其所在位置，此处未勾画；粉色：其他病灶。"
            ),
        ),
        "page.viewer_unlinked": (
            "not linked: no trusted registration here",
            "未同步：此处无可信配准",
        ),
        "page.viewer_coarse": (
            "To keep this page small, voxels were put together, to {step} mm at most.",
            "为控制页面大小，体素已合并，最大 {step} 毫米。",
        ),
        "page.viewer_left_out": (
            "The viewer has the largest lesions; pictures alone show the others.",
            "查看器仅含最大的病灶；其余病灶仅有图像。",
        ),
        "page.viewer_failed": (
            "This browser cannot show volumes (no WebGL2, or it is switched off). The pictures show the same lesions.",
            "此浏览器无法显示三维图像（无 WebGL2 或已关闭）。上方图像显示相同病灶。",
        ),
        "page.viewer_pane": (
            (
                "Lesion {lesion}, {modality} of {date}: voxels round it; arrow keys move the cross-hair in the plane, "
                "Page Up and Page Down through it, Escape closes the viewer"
            ),
            (
                "病灶 {lesion}，{date} {modality}：周围体素；方向键在层面内移动十字线，Page Up、Page Down 翻层，"
                "Escape 关闭查看器"
            ),
        ),
        "page.in_mask": ("In the mask", "掩膜中"),
        "page.read": ("with a reader's word", "含阅片者陈述"),
        "page.by_reader": ("by a reader; computed: {category}", "阅片者陈述；计算结果：{category}"),
        "page.label": ("label {label}", "标签 {label}"),
        "page.treated": ("treated locally", "已局部治疗"),
        "page.slice": ("slice {number}", "层面 {number}"),
        "page.alt_drawn": (
            "Lesion {lesion}, {modality} of {date}{slice}, with its outline and diameters",
            "病灶 {lesion}，{date} {modality}{slice}，含轮廓与径线",
        ),
        "page.alt_carried": (
            "Place of lesion {lesion}, {modality} of {date}{slice}; nothing is segmented here",
            "病灶 {lesion} 所在位置，{date} {modality}{slice}；此处未勾画",
        ),
        "page.alt_whole": (
            "Whole {modality} of {date}, foci outlined: {lesion}",
            "{date} 全身 {modality}，已标出病灶：{lesion}",
        ),
        "page.profile": (
            "Mean HU in the slice by distance from the outline (mm; inside negative):",
            "层面内平均 HU 与轮廓距离（毫米；内侧为负）：",
        ),
        "page.profile_alt": (
            "Density across the outline of lesion {lesion}, mean HU within 10 mm inside | outside: {told}",
            "病灶 {lesion} 跨轮廓的密度曲线，轮廓内 | 外 10 毫米平均 HU：{told}",
        ),
        "page.bone_scans": ("Bone scans", "骨扫描"),
        "page.long_axis": ("long axis, mm", "长径，mm"),
        "page.short_axis": ("short axis, mm", "短径，mm"),
        "page.size": ("size: long + short, mm", "大小：长径 + 短径，mm"),
        "page.outline_size": ("size as drawn, mm", "勾画大小，mm"),
        "page.change_baseline": ("change since baseline", "较基线变化"),
        "page.change_nadir": ("change since nadir", "较最低点变化"),
        "page.product": ("product, mm²", "径线乘积，mm²"),
        "page.volume": ("volume as drawn, ml", "勾画体积，ml"),
        "page.soft_tissue": ("soft tissue, mm", "软组织，mm"),
        "page.mean_hu": ("mean density, HU", "平均密度，HU"),
        "page.reference_hu": ("reference bone, HU", "参考骨，HU"),
        "page.lytic": ("lytic share", "溶骨比例"),
        "page.sclerotic": ("sclerotic share", "硬化比例"),
        "page.fill_in": ("filled in", "填充比例"),
        "page.cleared": ("no longer lytic", "不再溶骨的比例"),
        "page.rim": ("sclerotic rim", "硬化缘"),
        "page.signal_ratio": ("signal to marrow", "信号与骨髓比"),
        "page.uptake_ratio": ("uptake to reference", "摄取与参考比"),
        "page.uptake_change": ("uptake since first seen", "摄取较首次变化"),
        "page.suv_change": ("SUVmax since first seen", "SUVmax 较首次变化"),
        "page.probability": ("Probability by the numbers alone", "仅按数值的概率"),
        "page.probability_by_uptake": ("probability, by uptake", "概率（按摄取）"),
        "page.suv_max": ("SUVmax", "SUVmax"),
        "page.suv_peak": ("SULpeak", "SULpeak"),
        "page.metabolic_volume": ("metabolic volume, ml", "代谢体积，ml"),
        "page.tlg": ("total lesion glycolysis, g", "病灶糖酵解总量，g"),
        "page.adc": ("ADC, µm²/s", "ADC，µm²/s"),
        "page.adc_change": ("change of ADC", "ADC 变化"),
        "page.fat": ("fat fraction", "脂肪分数"),
        "page.registration_error": ("error of place, mm", "定位误差，mm"),
        "page.sins": ("SINS", "SINS"),
        "page.mirels": ("Mirels", "Mirels"),
        "severity.error": ("error", "错误"),
        "severity.warning": ("warning", "警告"),
        "severity.info": ("info", "提示"),
    }
)
"""Strings of the pages; further ones are added here, named `page.*`."""
