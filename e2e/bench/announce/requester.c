/*
 * A station that asks for IPv4 addresses by ARP (RFC 826) and says what it hears. It shares no line with the speaker.
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
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BURST = 64, ANSWER_WITHIN_MS = 100, PAUSE_US = 1000, LATE_MS = 500, REPORT_MS = 50 };

struct question {
  struct ether_header ethernet;
  struct ether_arp arp;
};
_Static_assert(sizeof(struct question) == 42, "14 bytes of Ethernet, 28 of ARP");

/* Longer than a minimal frame, which is padded to 60 bytes. */
struct heard {
  union {
    struct question frame;
    char bytes[128];
  };
  struct timespec arrived;
};

static int sock;
static unsigned char own_mac[ETH_ALEN];
static struct in_addr own_address;

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

static void open_on(const char *link) {
  sock = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ARP));
  if (sock < 0) err(1, "opening a packet socket");
  struct ifreq request = {0};
  strncpy(request.ifr_name, link, IFNAMSIZ - 1);
  if (ioctl(sock, SIOCGIFHWADDR, &request) < 0) err(1, "reading the MAC of %s", link);
  memcpy(own_mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
  int inet = socket(AF_INET, SOCK_DGRAM, 0);
  if (ioctl(inet, SIOCGIFADDR, &request) < 0) err(1, "reading the address of %s", link);
  own_address = ((struct sockaddr_in *)&request.ifr_addr)->sin_addr;
  close(inet);
  /* The kernel's own stamp of a frame that arrives: what follows here is not the answerer's time. */
  int on = 1, room = 64 << 20;
  if (setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) err(1, "asking for time stamps");
  if (setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0) err(1, "asking for room");
  struct sockaddr_ll place = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = if_nametoindex(link)};
  if (bind(sock, (struct sockaddr *)&place, sizeof place) < 0) err(1, "binding to %s", link);
}

static struct in_addr address_of(const char *text) {
  struct in_addr address;
  if (inet_pton(AF_INET, text, &address) != 1) errx(2, "%s is no IPv4 address", text);
  return address;
}

static struct question question_for(struct in_addr target) {
  struct question q = {0};
  memset(q.ethernet.ether_dhost, 0xff, ETH_ALEN);
  memcpy(q.ethernet.ether_shost, own_mac, ETH_ALEN);
  q.ethernet.ether_type = htons(ETHERTYPE_ARP);
  q.arp.arp_hrd = htons(ARPHRD_ETHER);
  q.arp.arp_pro = htons(ETHERTYPE_IP);
  q.arp.arp_hln = ETH_ALEN;
  q.arp.arp_pln = sizeof target;
  q.arp.arp_op = htons(ARPOP_REQUEST);
  memcpy(q.arp.arp_sha, own_mac, ETH_ALEN);
  memcpy(q.arp.arp_spa, &own_address, sizeof own_address);
  memcpy(q.arp.arp_tpa, &target, sizeof target);
  return q;
}

static void ask(const struct question *q) {
  if (send(sock, q, sizeof *q, 0) != sizeof *q) err(1, "asking");
}

static void ask_often(const struct question *q, unsigned count) {
  struct iovec piece = {(void *)q, sizeof *q};
  struct mmsghdr all[BURST];
  for (unsigned i = 0; i < BURST; i++)
    all[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}};
  while (count > 0) {
    int sent = sendmmsg(sock, all, count < BURST ? count : BURST, 0);
    if (sent < 0) err(1, "asking");
    count -= sent;
  }
}

/* Whether a frame was there; none of another kind counts as an answer. */
static int hear(struct heard *heard) {
  char control[CMSG_SPACE(sizeof(struct timespec))];
  struct iovec piece = {heard->bytes, sizeof heard->bytes};
  struct msghdr message = {
      .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(sock, &message, MSG_DONTWAIT);
  if (length < 0) return 0;
  if (length < (ssize_t)sizeof(struct question)) memset(heard->bytes, 0, sizeof heard->bytes);
  struct cmsghdr *stamp = CMSG_FIRSTHDR(&message);
  if (stamp != NULL && stamp->cmsg_type == SO_TIMESTAMPNS)
    memcpy(&heard->arrived, CMSG_DATA(stamp), sizeof heard->arrived);
  return 1;
}

static int answers(const struct heard *heard, struct in_addr target) {
  const struct ether_arp *arp = &heard->frame.arp;
  return ntohs(arp->arp_op) == ARPOP_REPLY && memcmp(arp->arp_spa, &target, sizeof target) == 0 &&
         memcmp(arp->arp_tha, own_mac, ETH_ALEN) == 0;
}

static void wait_for_frame(int ms) {
  struct pollfd readable = {.fd = sock, .events = POLLIN};
  poll(&readable, 1, ms);
}

static void ask_in_turn(const char *text) {
  struct in_addr target = address_of(text);
  struct question q = question_for(target);
  struct heard heard;
  while (hear(&heard)) continue;
  struct timespec asked = now(CLOCK_REALTIME);
  double until = elapsed() + ANSWER_WITHIN_MS / 1e3;
  ask(&q);
  for (;;) {
    while (hear(&heard)) {
      if (!answers(&heard, target)) continue;
      struct timespec read = now(CLOCK_REALTIME);
      printf("{\"address\":\"%s\",\"arrivedUs\":%.1f,\"readUs\":%.1f}\n", text,
             microseconds(asked, heard.arrived), microseconds(asked, read));
      return;
    }
    int left = (until - elapsed()) * 1e3;
    if (left <= 0) break;
    wait_for_frame(left);
  }
  printf("{\"address\":\"%s\"}\n", text);
}

static unsigned long heard_answers(struct in_addr target) {
  struct heard heard;
  unsigned long count = 0;
  while (hear(&heard)) count += answers(&heard, target);
  return count;
}

static void ask_at_pace(double per_second, double lasts, const char *text) {
  struct in_addr target = address_of(text);
  struct question q = question_for(target);
  unsigned long asked = 0, answered = 0;
  /* What this program could not ask while it had to wait for the processor is let go: nobody asks it all at once. */
  unsigned most = per_second / 200 + 1;
  double from = elapsed(), credited = from, owed = 0;
  while (elapsed() - from < lasts) {
    double at = elapsed();
    owed += (at - credited) * per_second;
    credited = at;
    if (owed > most) owed = most;
    ask_often(&q, owed);
    asked += (unsigned)owed;
    owed -= (unsigned)owed;
    answered += heard_answers(target);
    sleep_us(300);
  }
  double took = elapsed() - from;
  for (double until = elapsed() + LATE_MS / 1e3; elapsed() < until;) {
    wait_for_frame(50);
    answered += heard_answers(target);
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

static void watch(double every_ms, const char *text) {
  struct in_addr target = address_of(text);
  struct question q = question_for(target);
  unsigned long sent = 0, turn = 0;
  double from = elapsed(), reported = from, replies[1024];
  unsigned count = 0;
  for (;;) {
    unsigned long due = (elapsed() - from) * 1e3 / every_ms;
    /* As in ask_at_pace: what is missed is let go. */
    if (due > turn) ask(&q), sent++, turn = due;
    wait_for_frame(1);
    for (unsigned long heard = heard_answers(target); heard > 0 && count < 1024; heard--)
      replies[count++] = elapsed() * 1e3;
    if (elapsed() - reported < REPORT_MS / 1e3) continue;
    report(sent, replies, count);
    count = 0, reported = elapsed();
  }
}

int main(int count, char **words) {
  if (count < 5) errx(2, "see the head of requester.c");
  open_on(words[1]);
  if (strcmp(words[2], "turns") == 0) {
    for (long left = atol(words[3]); left > 0; left--)
      for (int i = 4; i < count; i++) {
        ask_in_turn(words[i]);
        sleep_us(PAUSE_US);
      }
  } else if (strcmp(words[2], "pace") == 0 && count == 6) {
    ask_at_pace(atof(words[3]), atof(words[4]), words[5]);
  } else if (strcmp(words[2], "watch") == 0) {
    watch(atof(words[3]), words[4]);
  } else {
    errx(2, "see the head of requester.c");
  }
  return 0;
}
