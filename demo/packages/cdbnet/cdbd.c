/* cdbd PORT FILE: answers "get KEY" lines over TCP from a constant database. */
#include <arpa/inet.h>
#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void answer(FILE *out, struct cdb *db, const char *line)
{
    char *value;
    unsigned length;

    if (strncmp(line, "get ", 4) != 0) {
        fprintf(out, "? unknown request\n");
        return;
    }
    if (cdb_find(db, line + 4, strlen(line + 4)) <= 0) {
        fprintf(out, "-\n");
        return;
    }
    length = cdb_datalen(db);
    value = malloc(length + 1);
    if (value == NULL || cdb_read(db, value, length, cdb_datapos(db)) != 0) {
        fprintf(out, "? cannot read\n");
    } else {
        value[length] = '\0';
        fprintf(out, "+%s\n", value);
    }
    free(value);
}

static void serve(int connection, struct cdb *db)
{
    char line[512];
    FILE *in = fdopen(connection, "r");
    FILE *out = fdopen(dup(connection), "w");

    if (in != NULL && out != NULL && fgets(line, sizeof line, in) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        answer(out, db, line);
    }
    if (out != NULL)
        fclose(out);
    if (in != NULL)
        fclose(in);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct cdb db;
    int listener, file, yes = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: cdbd PORT FILE\n");
        return 2;
    }
    file = open(argv[2], O_RDONLY);
    if (file < 0 || cdb_init(&db, file) != 0) {
        fprintf(stderr, "cdbd: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_port = htons((unsigned short) atoi(argv[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *) &address, sizeof address) != 0 || listen(listener, 8) != 0) {
        fprintf(stderr, "cdbd: port %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0)
            serve(connection, &db);
    }
}
