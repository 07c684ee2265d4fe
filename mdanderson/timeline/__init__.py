"""One patient from first visit to last: visits in order, every criteria set asked, the course summed up."""

from mdanderson.timeline.build import build_timeline
from mdanderson.timeline.model import Timeline
from mdanderson.timeline.summary import Summary
from mdanderson.timeline.visits import group_visits

__all__ = ["Summary", "Timeline", "build_timeline", "group_visits"]
