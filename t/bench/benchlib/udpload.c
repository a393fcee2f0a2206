/*
 * Packets per second: a source of UDP datagrams and a sink that counts them.
 * Compiled by the benchmark; single datagrams, many for each system call.
 *
 *	udpload sink PORT             until nothing came for a second; prints
 *	                              received, highest number + 1, ns between
 *	                              the first and the last
 *	udpload source PORT RATE MS   RATE a second (0: as many as it can)
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIZE 1200
#define BATCH 32
#define LARGE 65536
#define BUFFER (16 << 20)

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in
loopback(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_port = htons((uint16_t)atoi(port));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* The numbers of the datagrams in one message, which may be several joined. */
static void
count(const uint8_t *p, size_t n, uint64_t *got, uint64_t *top)
{
	for (size_t at = 0; at + 8 <= n; at += SIZE) {
		uint64_t number;

		memcpy(&number, p + at, sizeof(number));
		(*got)++;
		if (number + 1 > *top)
			*top = number + 1;
	}
}

static int
sink(const char *port)
{
	static uint8_t space[BATCH][LARGE];
	struct sockaddr_in a = loopback(port);
	struct timeval quiet = { 1, 0 };
	uint64_t got = 0, top = 0, first = 0, last = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, size = BUFFER;
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec iov[BATCH];

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1)
		return 1;
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ space[i], LARGE };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);

		if (n <= 0) {
			if (got > 0)
				break;
			continue;
		}
		last = now();
		if (first == 0) {
			first = last;
			setsockopt(
			    fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof(quiet));
		}
		for (int i = 0; i < n; i++)
			count(space[i], m[i].msg_len, &got, &top);
	}
	printf("%llu %llu %llu\n", (unsigned long long)got,
	    (unsigned long long)top, (unsigned long long)(last - first));
	return 0;
}

static int
source(const char *port, uint64_t rate, uint64_t ms)
{
	static uint8_t space[BATCH][SIZE];
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = BUFFER;
	uint64_t number = 0, start = now(), end = start + ms * 1000000;
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec iov[BATCH];

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1)
		return 1;
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ space[i], SIZE };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	for (uint64_t t = start; t < end; t = now()) {
		if (rate > 0 && number > (t - start) * rate / 1000000000) {
			usleep(100);
			continue;
		}
		for (int i = 0; i < BATCH; i++) {
			memcpy(space[i], &number, sizeof(number));
			number++;
		}
		sendmmsg(fd, m, BATCH, 0);
	}
	printf("%llu\n", (unsigned long long)number);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		return sink(argv[2]);
	if (argc == 5 && strcmp(argv[1], "source") == 0)
		return source(argv[2], strtoull(argv[3], NULL, 10),
		    strtoull(argv[4], NULL, 10));
	fputs("usage: udpload sink PORT | source PORT RATE MS\n", stderr);
	return 2;
}
