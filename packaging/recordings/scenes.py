"""What is recorded: of each scene what is done before, unseen, and the lines that are typed, with the answer to what they ask."""

from typing import NamedTuple

QUESTION = "[y/N]"


class Scene(NamedTuple):
    title: str
    before: list
    lines: list


def scenes(host):
    """All scenes, in the order in which they are played: install is for a bare host."""
    site = f"provision install site -H {host}"
    shop = f"provision install shop -H {host}"
    ports = f"provision install filter -H {host}"
    on_host = f"provision exec -H {host}"
    return {
        "install": Scene(
            "nginx is installed: the plan, the question, the changes and the proof; the second run changes nothing",
            [],
            [(site, [(QUESTION, "y")]), (site, [])],
        ),
        "drift": Scene(
            "A line was added by hand: the plan shows it, and the run takes it away",
            [f"{site} -y"],
            [
                (f"{on_host} 'echo \"gzip off;\" >>/etc/nginx/conf.d/site.conf'", []),
                (f"provision drift site -H {host}", []),
                (site, [(QUESTION, "y")]),
            ],
        ),
        "rollback": Scene(
            "The last change is shown, and taken back",
            [f"{site} -y", f"{site} -e site.largest=64m -y"],
            [(f"provision rollback site -H {host}", [(QUESTION, "y")])],
        ),
        "restart": Scene(
            "A run fails between the change of a file and the restart for it; the next run does the restart",
            [f"{on_host} 'mkdir -p /srv/shop'", f"{shop} -y", f"{on_host} 'mv /srv/shop /srv/shop.away'"],
            [
                (f"{shop} -e shop.workers=8 -y", []),
                (f"{on_host} 'mv /srv/shop.away /srv/shop'  # mended", []),
                (f"{shop} -e shop.workers=8 -y", []),
            ],
        ),
        "guard": Scene(
            "A packet filter that would let nobody in by ssh is taken back by the host itself",
            [f"{ports} -y"],
            [
                (f"{ports} -e 'filter.allow=[\"80\"]'", [(QUESTION, "y")]),
                (f"{on_host} 'nft list ruleset | grep dport'", []),
            ],
        ),
    }
