"""The steps that import one kind of file: boundary, unit grids, duty grids, calendar and limits."""

from __future__ import annotations

from pathlib import Path

from provisioning.setup.facts import Facts, facts_of
from provisioning.setup.importing import import_file, wish_of
from provisioning.setup.step import Standing
from provisioning.setup.talk import Talk

OPTIONS = ("crs", "map", "repair", "keep_good")


class Boundary:
    """County, streets, communities."""

    def standing(self, facts: Facts) -> Standing:
        areas, outlines = facts.counts["areas"], facts.counts["outlines"]
        return Standing(outlines > 0, f"{areas} 个区划,{outlines} 个有边界", f"{areas} areas, {outlines} with outline")

    def run(self, home: Path, talk: Talk) -> None:
        file = talk.path("file")
        assert file is not None
        import_file(home, "boundary", file, talk, wish_of(talk, *OPTIONS))


class Grids:
    """Unit grids: from a file, or cut over the boundary."""

    def standing(self, facts: Facts) -> Standing:
        grids = facts.counts["grids"]
        return Standing(grids > 0, f"{grids} 个", f"{grids} grids")

    def run(self, home: Path, talk: Talk) -> None:
        file = talk.path("file")
        if file is not None:
            import_file(home, "grids", file, talk, wish_of(talk, *OPTIONS, "make_codes"))
            return
        there = facts_of(home).counts["grids"]
        if talk.alone and there:  # the same answers again
            talk.tell(f"已有 {there} 个单元网格,不再划分", "unit grids are there and not cut again")
            return
        size, digits = float(talk.ask("size")), int(talk.ask("digits"))
        self._cut(home, size, digits, talk)

    def _cut(self, home: Path, size: float, digits: int, talk: Talk) -> None:
        """Say how many there would be, and cut them."""
        from provisioning.commands import opened, progress_bar
        from provisioning.import_files.cutting import cut_county

        with opened(home) as records, progress_bar() as progress:
            trial, _ = cut_county(records, size, digits, None, True, progress)
            for warning in trial.warnings:
                talk.tell(f"  ! {warning}")
            if not talk.confirm(f"将划分 {trial.count} 个单元网格,继续?", f"{trial.count} grids would be cut; go on?"):
                return
            made, batch = cut_county(records, size, digits, None, False, progress)
        talk.tell(f"✓ {made.communities} 个社区,{made.count} 个单元网格,批次 {batch}", "communities, grids, batch")


class DutyGrids:
    """Duty grids; their collectors are accounts, so people come first."""

    def standing(self, facts: Facts) -> Standing:
        count = facts.counts["duty_grids"]
        return Standing(count > 0, f"{count} 个", f"{count} duty grids")

    def run(self, home: Path, talk: Talk) -> None:
        file = talk.path("file")
        assert file is not None
        import_file(home, "duty-grids", file, talk, wish_of(talk, *OPTIONS))


class Calendar:
    """Days off and limits: what is shipped is told, what is missing too."""

    def standing(self, facts: Facts) -> Standing:
        missing = [str(year) for year in facts.wanted_years if year not in facts.years]
        limits = facts.counts["limits"]
        own = ("国家时限", "national limits") if not limits else (f"本县时限 {limits} 条", f"{limits} own limits")
        if missing:
            years = "、".join(missing)
            return Standing(False, f"缺 {years} 年放假安排; {own[0]}", f"no days off of {years} yet; {own[1]}")
        return Standing(True, f"放假安排齐全; {own[0]}", f"days off are known; {own[1]}")

    def run(self, home: Path, talk: Talk) -> None:
        talk.tell(
            "来年的放假安排一般在十一月公布(holiday-cn 的 JSON 可直接导入);没有时到期时间暂按周末计,以后自动重算",
            "next year's days off are published in November; until then limits are provisional and counted anew later",
        )
        kind, file = talk.ask("kind"), talk.path("file")
        assert file is not None
        import_file(home, kind, file, talk, wish_of(talk, "map"))
