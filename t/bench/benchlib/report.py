"""Medians, ratios, targets, and the table."""

from statistics import median


class Metric:
    """A row of the table. BOUNDS: {subject: [(reference, bound), ...]}.

    A reference is a subject that the value is divided by, or None where the
    bound is the value itself. HIGHER tells which side of it is good.
    """

    def __init__(self, key, title, form, higher, bounds=None):
        self.key, self.title, self.form = key, title, form
        self.higher = higher
        self.bounds = dict(bounds or {})
        # By a port it must be as fast as by name.
        for way in ("ptp", "ptp-none"):
            if way in self.bounds:
                self.bounds[way.replace("ptp", "ptp-port")] = self.bounds[way]


def both(*bounds):
    return {"ptp": list(bounds), "ptp-none": list(bounds)}


UDP = ("ptp-udp", "ptp-udp-none")
FAIR = ("ptp", "ptp-none", "ptp-two")

METRICS = [
    Metric("requests", "requests/s", "{:.0f}", True, {
        "ptp": [("haproxy", 1.05)],
        "ptp-none": [("direct", 0.65), ("haproxy", 1.10)]}),
    Metric("cpu_request", "CPU us/request", "{:.1f}", False, {
        "ptp": [("haproxy", 0.90)], "ptp-none": [("haproxy", 0.80)]}),
    Metric("connections", "new connections/s", "{:.0f}", True,
           {**both(("haproxy", 1.20)),
            "ptp-sni": [("ptp-port-tls", 0.95)]}),
    Metric("cpu_connection", "CPU us/new connection", "{:.1f}", False),
    Metric("p50", "latency p50, ms", "{:.3f}", False, both(("haproxy", 1.00))),
    Metric("p99", "latency p99, ms", "{:.3f}", False, both(("haproxy", 1.00))),
    Metric("download", "download, GB/s", "{:.2f}", True, {
        "ptp": [("haproxy", 0.95)], "ptp-none": [("haproxy", 1.10)]}),
    Metric("cpu_download", "download, CPU ms/GB", "{:.0f}", False),
    Metric("upload", "upload, GB/s", "{:.2f}", True),
    Metric("cpu_upload", "upload, CPU ms/GB", "{:.0f}", False),
    Metric("fair_alone", "100 users, p99, ms", "{:.2f}", False),
    Metric("fair_held", "beside 4 MB/s, p99, ms", "{:.2f}", False),
    Metric("fair_held_times", "the same by max(alone, 3.3 ms)", "{:.2f}",
           False, {s: [(None, 3.0)] for s in FAIR}),
    Metric("fair_full", "beside all that goes, p99, ms", "{:.2f}", False,
           {s: [("haproxy", 2.5)] for s in FAIR}),
    Metric("https", "https requests/s", "{:.0f}", True,
           {"ptp-tls": [("haproxy-tls", 0.80)],
            "ptp-sni": [("ptp-port-tls", 0.95)]}),
    Metric("cpu_https", "CPU us/https request", "{:.1f}", False),
    Metric("handshakes", "TLS handshakes/s", "{:.0f}", True,
           {"ptp-tls": [("nginx-tls", 0.75)]}),
    Metric("shake_alone", "100 https users, p99, ms", "{:.2f}", False),
    Metric("shake_beside", "beside handshakes, p99, ms", "{:.2f}", False),
    Metric("shake_times", "the same by alone", "{:.2f}", False,
           {"ptp-tls": [(None, 3.0)]}),
    Metric("datagrams", "datagrams of 1200 bytes/s", "{:.0f}", True,
           {s: [("socat", 3.0)] for s in UDP}),
    Metric("datagram_loss", "lost at half of that, %", "{:.3f}", False,
           {s: [(None, 0.0)] for s in UDP}),
    Metric("idle_server", "idle visitor, KiB, server", "{:.2f}", False,
           both((None, 1.0))),
    Metric("idle_client", "idle visitor, KiB, client", "{:.2f}", False,
           both((None, 1.0))),
    Metric("rest_server", "at rest, MiB, server", "{:.1f}", False,
           both((None, 12.0))),
    Metric("rest_client", "at rest, MiB, client", "{:.1f}", False,
           both((None, 6.0))),
]

HEAD = ("measure", "subject", "median", "from..to", "server + client",
        "/direct", "/chain", "must reach", "")


class Results:
    """values[metric][subject] is a list with one value, or None, per round."""

    def __init__(self):
        self.values = {}
        self.notes = []

    def add(self, subject, index, found):
        for metric, value in found.items():
            row = self.values.setdefault(metric, {}).setdefault(subject, [])
            row += [None] * (index - len(row)) + [value]

    def series(self, metric, subject):
        row = self.values.get(metric, {}).get(subject, [])
        return [v for v in row if v is not None]

    def median(self, metric, subject):
        row = self.series(metric, subject)
        return median(row) if row else None

    def ratio(self, metric, subject, reference):
        """Median over the rounds of SUBJECT's value by REFERENCE's."""
        rows = self.values.get(metric, {})
        pairs = [a / b for a, b in zip(rows.get(subject, []),
                                       rows.get(reference, []))
                 if a is not None and b]
        return median(pairs) if pairs else None

    def verdicts(self, metric, subject):
        """[(what must be reached, True, False or None if not known)]."""
        out = []
        for reference, bound in metric.bounds.get(subject, []):
            value = (self.ratio(metric.key, subject, reference) if reference
                     else self.median(metric.key, subject))
            good = None if value is None else (
                value >= bound if metric.higher else value <= bound)
            sign = ">=" if metric.higher else "<="
            of = {"haproxy": " of chain", "direct": " of direct",
                  "haproxy-tls": " of chain", "nginx-tls": " of nginx",
                  "socat": " of socat"}.get(
                reference, "")
            out.append((f"{sign} {bound:.2f}{of}", good))
        return out


def _cell(value, form):
    return "" if value is None else form.format(value)


def _row(results, metric, subject, first):
    own = results.median(metric.key, subject.key)
    series = results.series(metric.key, subject.key)
    parts = [results.median(f"{metric.key}.{end}", subject.key)
             for end in ("server", "client")]
    split = "" if None in parts else " + ".join(
        metric.form.format(p) for p in parts)
    span = "" if len(series) < 2 else (
        f"{metric.form.format(min(series))}.."
        f"{metric.form.format(max(series))}")
    verdicts = results.verdicts(metric, subject.key)
    word = {True: "PASS", False: "below", None: "?"}
    return (metric.title if first else "", subject.title,
            _cell(own, metric.form), span, split,
            _cell(results.ratio(metric.key, subject.key, "direct"), "{:.2f}"),
            _cell(results.ratio(metric.key, subject.key, "haproxy-tls" if
                                subject.key.endswith("-tls") else "haproxy"),
                  "{:.2f}"),
            ", ".join(w for w, _ in verdicts),
            ", ".join(word[g] for _, g in verdicts))


def table(results, subjects):
    """The lines of the table."""
    rows = [HEAD]
    for metric in METRICS:
        first = True
        for subject in subjects:
            if results.series(metric.key, subject.key):
                rows.append(_row(results, metric, subject, first))
                first = False
    widths = [max(len(r[i]) for r in rows) for i in range(len(HEAD))]
    right = {2, 3, 4, 5, 6}
    return ["  ".join(c.rjust(w) if i in right else c.ljust(w)
                      for i, (c, w) in enumerate(zip(r, widths))).rstrip()
            for r in rows]


def score(results, subjects):
    """(targets reached, targets that could be judged)."""
    goods = [good for m in METRICS for s in subjects
             for _, good in results.verdicts(m, s.key) if good is not None]
    return sum(goods), len(goods)
