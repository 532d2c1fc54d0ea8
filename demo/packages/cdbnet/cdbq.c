/* cdbq HOST PORT REQUEST...: sends one request to cdbd and prints the answer. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int reach(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_INET }, *found, *each;
    int fd = -1;

    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    for (each = found; each != NULL && fd < 0; each = each->ai_next) {
        fd = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
        if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

int main(int argc, char **argv)
{
    char answer[512];
    FILE *stream;
    int fd, i;

    if (argc < 4) {
        fprintf(stderr, "usage: cdbq HOST PORT REQUEST...\n");
        return 2;
    }
    fd = reach(argv[1], argv[2]);
    if (fd < 0 || (stream = fdopen(fd, "r+")) == NULL) {
        fprintf(stderr, "cdbq: cannot reach %s:%s\n", argv[1], argv[2]);
        return 1;
    }
    for (i = 3; i < argc; i++)
        fprintf(stream, "%s%s", argv[i], i + 1 < argc ? " " : "\n");
    fflush(stream);
    if (fgets(answer, sizeof answer, stream) == NULL) {
        fprintf(stderr, "cdbq: no answer\n");
        return 1;
    }
    fputs(answer, stdout);
    return answer[0] == '+' ? 0 : 1;
}
