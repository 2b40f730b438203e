// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration: no input harms it; a refusal has a sentence and leaves
 * the structure alone, an acceptance keeps every number in its range.
 */
#include "../config.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config cfg, old;
	char err[256] = "";
	FILE *f = size ? fmemopen((void *)data, size, "r") : NULL;

	if (!f)
		return 0;
	cfg = old;
	if (load_stream(f, "x", &cfg, err, sizeof(err))) {
		if (strncmp(err, "x:", 2) || memcmp(&cfg, &old, sizeof(cfg)))
			abort();
	} else if (!cfg.laboratory || !cfg.sip_port || cfg.lifetime < 4 ||
		   cfg.lifetime > 420 || cfg.peers.n > CONFIG_PREFIXES ||
		   !cfg.dummy[0] || cfg.control[0] != '/') {
		abort();
	}
	fclose(f);
	return 0;
}
