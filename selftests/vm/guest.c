// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vm-guest: the two things that the test VM's shell scripts cannot do.
 *
 *	vm-guest exit N     end the VM; QEMU exits with ((N + 1) << 1) | 1,
 *			    never 1, which is its own "could not start"
 *	vm-guest seed FILE  make the kernel's random numbers new: a VM that
 *			    was restored from a snapshot would repeat them
 *
 * Called by selftests/vm/init and selftests/vm/job, as root in the guest.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <unistd.h>

#define EXIT_PORT	0xf4	/* iobase of QEMU's isa-debug-exit */
#define EXIT_MAX	125

/*
 * /dev/port is not in Debian's cloud kernels, so the port is reached by
 * ioperm(). Returns only if that is impossible.
 */
static int vm_exit(const char *arg)
{
	int status = atoi(arg);

	if (status < 0 || status > EXIT_MAX)
		status = EXIT_MAX;
	sync();
	if (!ioperm(EXIT_PORT, 1, 1))
		outb(status + 1, EXIT_PORT);
	perror("vm-guest: exit");
	reboot(RB_POWER_OFF);
	return 1;
}

static int add_entropy(const char *bytes, size_t len)
{
	struct rand_pool_info *pool;
	int fd, ret = -1;

	pool = malloc(sizeof(*pool) + len);
	fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
	if (pool && fd >= 0) {
		pool->entropy_count = 8 * (int)len;
		pool->buf_size = (int)len;
		memcpy(pool->buf, bytes, len);
		ret = ioctl(fd, RNDADDENTROPY, pool);
		if (!ret)
			ret = ioctl(fd, RNDRESEEDCRNG);
	}
	if (fd >= 0)
		close(fd);
	free(pool);
	return ret;
}

static int vm_seed(const char *path)
{
	char bytes[64];
	size_t len;
	FILE *file;

	file = fopen(path, "re");
	if (!file) {
		perror(path);
		return 1;
	}
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (len < sizeof(bytes) || add_entropy(bytes, len)) {
		perror("vm-guest: seed");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "exit"))
		return vm_exit(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "seed"))
		return vm_seed(argv[2]);
	fprintf(stderr, "usage: vm-guest exit STATUS | seed FILE\n");
	return 2;
}
