#include <netinet/in.h>
#include <stddef.h>

/* Who asks: a link's MAC, and one of its addresses of the family that is asked for. */
struct station {
  int family;
  unsigned char mac[6];
  unsigned char address[16];
};

/* A frame that asks every neighbour for one address, by ARP (RFC 826) or by NDP (RFC 4861 §4.3). */
struct question {
  int family;
  size_t length;
  unsigned char frame[86];
  unsigned char target[16];
};

/* AF_INET or AF_INET6, by how an address is written; ends the program where it is none. */
int family_of(const char *address);

struct question question_for(const struct station *asker, const char *address);

/* Whether a frame that arrived answers this question. */
int is_answer(const struct question *question, const unsigned char *frame, size_t length);
