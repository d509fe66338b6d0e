/*
 * A station that asks for addresses by ARP or NDP and says what it hears. It shares no line with the speaker. The addresses
 * of one call are of one family.
 *
 *   requester LINK turns COUNT ADDRESS...
 *     Asks for each address in turn, COUNT times: the next question follows when the one before was answered, or a
 *     tenth of a second later, and a pause. A JSON line for each question:
 *     {"address":"198.51.100.7","arrivedUs":10.2,"readUs":21.9}, without times where no answer came.
 *
 *   requester LINK pace PER_SECOND SECONDS ADDRESS
 *     Asks at a fixed pace whatever is answered. One JSON line at its end:
 *     {"seconds":2.0,"asked":100000,"answered":100000,"overflowed":0}; overflowed are answers that came and found no
 *     room in the socket of this program.
 *
 *   requester LINK watch EVERY_MS ADDRESS
 *     Asks at a fixed pace until it is told to end. Every 50 ms a JSON line: how many questions were asked so far, and
 *     when answers came since the line before (CLOCK_MONOTONIC in milliseconds): {"sent":1200,"replies":[815.2,817.4]}
 */
#define _GNU_SOURCE
#include <err.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "question.h"

enum { BURST = 64, ANSWER_WITHIN_MS = 100, PAUSE_US = 1000, LATE_MS = 500, REPORT_MS = 50 };

struct heard {
  unsigned char frame[128];
  size_t length;
  struct timespec arrived;
};

static int sock;

static double seconds_of(struct timespec t) { return t.tv_sec + t.tv_nsec / 1e9; }

static struct timespec now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t;
}

static double elapsed(void) { return seconds_of(now(CLOCK_MONOTONIC)); }

static double microseconds(struct timespec from, struct timespec until) {
  return (until.tv_sec - from.tv_sec) * 1e6 + (until.tv_nsec - from.tv_nsec) / 1e3;
}

static void sleep_us(long us) {
  struct timespec t = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&t, NULL);
}

/* Not the link-local address: an answer to that one says nothing of the LAN's addresses. */
static struct station station_on(const char *link, int family) {
  struct station station = {.family = family};
  struct ifaddrs *all;
  if (getifaddrs(&all) < 0) err(1, "reading addresses");
  int found = 0;
  for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
    if (one->ifa_addr == NULL || strcmp(one->ifa_name, link) != 0) continue;
    const void *address = one->ifa_addr;
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
    int kind = one->ifa_addr->sa_family;
    if (kind == AF_PACKET) memcpy(station.mac, ((const struct sockaddr_ll *)address)->sll_addr, 6);
    if (kind != family || (kind == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(in6))) continue;
    if (kind == AF_INET) memcpy(station.address, &((const struct sockaddr_in *)address)->sin_addr, 4);
    if (kind == AF_INET6) memcpy(station.address, in6, 16);
    found = 1;
  }
  freeifaddrs(all);
  if (!found) errx(1, "%s has no address of that family", link);
  return station;
}

static void open_on(const char *link, int family) {
  int type = htons(family == AF_INET ? ETHERTYPE_ARP : ETHERTYPE_IPV6);
  sock = socket(AF_PACKET, SOCK_RAW, type);
  if (sock < 0) err(1, "opening a packet socket");
  /* The kernel's own stamp of a frame that arrives: what follows here is not the answerer's time. */
  int on = 1, room = 64 << 20;
  if (setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) err(1, "asking for time stamps");
  if (setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0) err(1, "asking for room");
  struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_protocol = type, .sll_ifindex = if_nametoindex(link)};
  if (bind(sock, (struct sockaddr *)&place, sizeof place) < 0) err(1, "binding to %s", link);
}

static void ask(const struct question *q) {
  if (send(sock, q->frame, q->length, 0) < 0) err(1, "asking");
}

static void ask_often(const struct question *q, unsigned count) {
  struct iovec piece = {(void *)q->frame, q->length};
  struct mmsghdr all[BURST];
  for (unsigned i = 0; i < BURST; i++)
    all[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}};
  while (count > 0) {
    int sent = sendmmsg(sock, all, count < BURST ? count : BURST, 0);
    if (sent < 0) err(1, "asking");
    count -= sent;
  }
}

/* Whether a frame was there. */
static int hear(struct heard *heard) {
  char control[CMSG_SPACE(sizeof(struct timespec))];
  struct iovec piece = {heard->frame, sizeof heard->frame};
  struct msghdr message = {
      .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(sock, &message, MSG_DONTWAIT);
  if (length < 0) return 0;
  heard->length = length;
  struct cmsghdr *stamp = CMSG_FIRSTHDR(&message);
  if (stamp != NULL && stamp->cmsg_type == SO_TIMESTAMPNS)
    memcpy(&heard->arrived, CMSG_DATA(stamp), sizeof heard->arrived);
  return 1;
}

static unsigned long heard_answers(const struct question *q) {
  struct heard heard;
  unsigned long count = 0;
  while (hear(&heard)) count += is_answer(q, heard.frame, heard.length);
  return count;
}

static void wait_for_frame(int ms) {
  struct pollfd readable = {.fd = sock, .events = POLLIN};
  poll(&readable, 1, ms);
}

static void ask_in_turn(const struct question *q, const char *address) {
  struct heard heard;
  while (hear(&heard)) continue;
  struct timespec asked = now(CLOCK_REALTIME);
  double until = elapsed() + ANSWER_WITHIN_MS / 1e3;
  ask(q);
  for (;;) {
    while (hear(&heard)) {
      if (!is_answer(q, heard.frame, heard.length)) continue;
      struct timespec read = now(CLOCK_REALTIME);
      printf("{\"address\":\"%s\",\"arrivedUs\":%.1f,\"readUs\":%.1f}\n", address,
             microseconds(asked, heard.arrived), microseconds(asked, read));
      return;
    }
    int left = (until - elapsed()) * 1e3;
    if (left <= 0) break;
    wait_for_frame(left);
  }
  printf("{\"address\":\"%s\"}\n", address);
}

static void ask_at_pace(const struct question *q, double per_second, double lasts) {
  unsigned long asked = 0, answered = 0;
  /* What this program could not ask while it had to wait for the processor is let go: nobody asks it all at once. */
  unsigned most = per_second / 200 + 1;
  double from = elapsed(), credited = from, owed = 0;
  while (elapsed() - from < lasts) {
    double at = elapsed();
    owed += (at - credited) * per_second;
    credited = at;
    if (owed > most) owed = most;
    ask_often(q, owed);
    asked += (unsigned)owed;
    owed -= (unsigned)owed;
    answered += heard_answers(q);
    sleep_us(300);
  }
  double took = elapsed() - from;
  for (double until = elapsed() + LATE_MS / 1e3; elapsed() < until;) {
    wait_for_frame(50);
    answered += heard_answers(q);
  }
  struct tpacket_stats stats = {0};
  socklen_t size = sizeof stats;
  if (getsockopt(sock, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0) err(1, "reading what was dropped");
  printf("{\"seconds\":%.3f,\"asked\":%lu,\"answered\":%lu,\"overflowed\":%u}\n", took, asked, answered,
         stats.tp_drops);
}

static void report(unsigned long sent, const double *replies, unsigned count) {
  printf("{\"sent\":%lu,\"replies\":[", sent);
  for (unsigned i = 0; i < count; i++) printf("%s%.3f", i > 0 ? "," : "", replies[i]);
  printf("]}\n");
  fflush(stdout);
}

static void watch(const struct question *q, double every_ms) {
  unsigned long sent = 0, turn = 0;
  double from = elapsed(), reported = from, replies[1024];
  unsigned count = 0;
  for (;;) {
    unsigned long due = (elapsed() - from) * 1e3 / every_ms;
    /* As in ask_at_pace: what is missed is let go. */
    if (due > turn) ask(q), sent++, turn = due;
    wait_for_frame(1);
    for (unsigned long heard = heard_answers(q); heard > 0 && count < 1024; heard--)
      replies[count++] = elapsed() * 1e3;
    if (elapsed() - reported < REPORT_MS / 1e3) continue;
    report(sent, replies, count);
    count = 0, reported = elapsed();
  }
}

int main(int count, char **words) {
  if (count < 5) errx(2, "see the head of requester.c");
  const char *link = words[1], *how = words[2], *last = words[count - 1];
  struct station station = station_on(link, family_of(last));
  open_on(link, station.family);
  struct question q = question_for(&station, last);
  if (strcmp(how, "turns") == 0) {
    for (long left = atol(words[3]); left > 0; left--)
      for (int i = 4; i < count; i++) {
        struct question each = question_for(&station, words[i]);
        ask_in_turn(&each, words[i]);
        sleep_us(PAUSE_US);
      }
  } else if (strcmp(how, "pace") == 0 && count == 6) {
    ask_at_pace(&q, atof(words[3]), atof(words[4]));
  } else if (strcmp(how, "watch") == 0) {
    watch(&q, atof(words[3]));
  } else {
    errx(2, "see the head of requester.c");
  }
  return 0;
}
