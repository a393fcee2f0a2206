/* Numbers as people read them, and their chart. */
#include "worker/report/figures.h"

#include <stdbool.h>

#define WIDTH 1000 /* of the chart, in its own units */
#define HEIGHT 200

void
figures_bytes(struct text_out *out, uint64_t v)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB",
		"PiB" };
	double d = (double)v;
	size_t unit = 0;

	while (d >= 1024 && unit < 5) {
		d /= 1024;
		unit++;
	}
	text_out_printf(out, unit == 0 ? "%.0f %s" : "%.1f %s", d, units[unit]);
}

void
figures_seconds(struct text_out *out, uint64_t s)
{
	if (s >= 86400)
		text_out_printf(out, "%llu d %llu h",
		    (unsigned long long)(s / 86400),
		    (unsigned long long)(s % 86400 / 3600));
	else if (s >= 3600)
		text_out_printf(out, "%llu h %llu min",
		    (unsigned long long)(s / 3600),
		    (unsigned long long)(s % 3600 / 60));
	else if (s >= 60)
		text_out_printf(out, "%llu min", (unsigned long long)(s / 60));
	else
		text_out_printf(out, "%llu s", (unsigned long long)s);
}

void
figures_field(struct text_out *out, struct buf row, const char *name)
{
	struct ctl_field f;

	if (row_field(row, name, &f))
		text_out_html(out, f.value, f.len);
}

void
figures_number(struct text_out *out, struct buf row, const char *name)
{
	text_out_printf(out, "%llu", (unsigned long long)row_number(row, name));
}

static uint64_t
peak_of(const struct history *h)
{
	uint64_t peak = 1;

	for (size_t i = 1; i < h->n; i++) {
		struct history_sample r = history_rate(h, i);

		peak = r.up > peak ? r.up : peak;
		peak = r.down > peak ? r.down : peak;
	}
	return peak;
}

/* A curve through the rates; area: closed along the bottom. */
static void
put_curve(struct text_out *out, const struct history *h, const char *class,
    bool up, bool area, uint64_t peak)
{
	uint64_t begin = h->at[1].ms, span = h->at[h->n - 1].ms - begin;

	text_out_printf(out, "<path class=\"%s\" d=\"", class);
	if (area)
		text_out_printf(out, "M0 %d", HEIGHT);
	for (size_t i = 1; i < h->n; i++) {
		struct history_sample r = history_rate(h, i);
		double part = (double)(up ? r.up : r.down) / (double)peak;

		text_out_printf(out, "%c%llu %.0f", !area && i == 1 ? 'M' : 'L',
		    (unsigned long long)((r.ms - begin) * WIDTH / span),
		    HEIGHT - 2 - part * (HEIGHT - 6));
	}
	if (area)
		text_out_printf(out, "L%d %dZ", WIDTH, HEIGHT);
	text_out_printf(out, "\"/>");
}

void
figures_chart(struct text_out *out, const struct history *h)
{
	uint64_t peak;

	if (h == NULL || h->n < 3)
		return;
	peak = peak_of(h);
	text_out_printf(out,
	    "<figure><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
	    "role=\"img\" aria-label=\"bytes each second\">",
	    WIDTH, HEIGHT);
	put_curve(out, h, "area", false, true, peak);
	put_curve(out, h, "down", false, false, peak);
	put_curve(out, h, "up", true, false, peak);
	text_out_printf(out,
	    "</svg>\n<figcaption><span class=\"down\">to users</span> "
	    "<span class=\"up\">from users</span> <span>peak ");
	figures_bytes(out, peak);
	text_out_printf(out, "/s in ");
	figures_seconds(out, (h->at[h->n - 1].ms - h->at[0].ms + 999) / 1000);
	text_out_printf(out, "</span></figcaption></figure>\n");
}
