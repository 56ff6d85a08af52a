#include "block.h"

#include <unistd.h>

static __attribute__((noinline)) int read_fully(int fd, char *buffer, int length)
{
	int got = 0;
	while (got < length) {
		int n = read(fd, buffer + got, length - got);
		if (n == 0)
			break;
		if (n > 0)
			got += n;
	}
	return got;
}

int read_message(int fd)
{
	char header[8];
	int got = read_fully(fd, header, sizeof header);
	return got == sizeof header ? header[0] : -1;
}

static __attribute__((noinline)) int pause_once(int *left)
{
	int result = pause();
	*left -= 1;
	return result;
}

int wait_for_signal(int times)
{
	int sum = 0;
	while (times > 0)
		sum += pause_once(&times);
	return sum;
}
