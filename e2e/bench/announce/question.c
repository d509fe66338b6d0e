#include "question.h"

#include <arpa/inet.h>
#include <err.h>
#include <string.h>

/* Of the frame: to, from, type (Ethernet); then what the two protocols have at these bytes. */
enum { TO = 0, FROM = 6, TYPE = 12, HEADER = 14 };
/* Hardware and protocol type, their lengths, operation; then MAC and address of the sender, and of the target. */
enum { ARP_OPERATION = 20, ARP_SENDER_MAC = 22, ARP_SENDER = 28, ARP_TARGET_MAC = 32, ARP_TARGET = 38, ARP_END = 42 };
/* IPv6: version, length of what follows the header, next header, hop limit, addresses. ICMPv6 begins at 54. */
enum { IP_LENGTH = 18, IP_NEXT = 20, IP_HOPS = 21, IP_FROM = 22, IP_TO = 38 };
enum { ND_TYPE = 54, ND_CHECKSUM = 56, ND_TARGET = 62, ND_OPTION = 78, ND_END = 86 };
enum { ICMPV6 = 58, SOLICITATION = 135, ADVERTISEMENT = 136, SOURCE_MAC = 1 };

int family_of(const char *address) {
  unsigned char bytes[16];
  if (inet_pton(AF_INET, address, bytes) == 1) return AF_INET;
  if (inet_pton(AF_INET6, address, bytes) == 1) return AF_INET6;
  errx(2, "%s is no address", address);
}

/* RFC 4443 §2.3: over the addresses, the length and the protocol too. */
static unsigned short checksum(const unsigned char *frame) {
  unsigned long sum = ND_END - ND_TYPE + ICMPV6;
  for (int at = IP_FROM; at < ND_END; at += 2) sum += frame[at] << 8 | frame[at + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

static void by_arp(struct question *q, const struct station *asker) {
  static const unsigned char head[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
  memset(q->frame + TO, 0xff, 6);
  memcpy(q->frame + TYPE, head, sizeof head);
  memcpy(q->frame + ARP_SENDER_MAC, asker->mac, 6);
  memcpy(q->frame + ARP_SENDER, asker->address, 4);
  memcpy(q->frame + ARP_TARGET, q->target, 4);
  q->length = ARP_END;
}

static void by_ndp(struct question *q, const struct station *asker) {
  static const unsigned char type_and_version[] = {0x86, 0xdd, 0x60};
  /* The solicited-node group, RFC 4291 §2.7.1, and its MAC, RFC 2464 §7: the last three bytes are the target's. */
  static const unsigned char group[16] = {0xff, 2, [11] = 1, 0xff}, group_mac[] = {0x33, 0x33, 0xff};
  memcpy(q->frame + TO, group_mac, 3);
  memcpy(q->frame + TO + 3, q->target + 13, 3);
  memcpy(q->frame + TYPE, type_and_version, sizeof type_and_version);
  q->frame[IP_LENGTH + 1] = ND_END - ND_TYPE;
  q->frame[IP_NEXT] = ICMPV6;
  q->frame[IP_HOPS] = 255;
  memcpy(q->frame + IP_FROM, asker->address, 16);
  memcpy(q->frame + IP_TO, group, 16);
  memcpy(q->frame + IP_TO + 13, q->target + 13, 3);
  q->frame[ND_TYPE] = SOLICITATION;
  memcpy(q->frame + ND_TARGET, q->target, 16);
  q->frame[ND_OPTION] = SOURCE_MAC;
  q->frame[ND_OPTION + 1] = 1;
  memcpy(q->frame + ND_OPTION + 2, asker->mac, 6);
  unsigned short sum = htons(checksum(q->frame));
  memcpy(q->frame + ND_CHECKSUM, &sum, 2);
  q->length = ND_END;
}

struct question question_for(const struct station *asker, const char *address) {
  struct question q = {.family = asker->family};
  if (inet_pton(asker->family, address, q.target) != 1) errx(2, "%s is of the other family", address);
  memcpy(q.frame + FROM, asker->mac, 6);
  if (asker->family == AF_INET)
    by_arp(&q, asker);
  else
    by_ndp(&q, asker);
  return q;
}

int is_answer(const struct question *q, const unsigned char *frame, size_t length) {
  if (length < q->length || memcmp(frame + TO, q->frame + FROM, 6) != 0) return 0;
  if (q->family == AF_INET)
    return frame[ARP_OPERATION + 1] == 2 && memcmp(frame + ARP_SENDER, q->target, 4) == 0;
  return frame[IP_NEXT] == ICMPV6 && frame[IP_HOPS] == 255 && frame[ND_TYPE] == ADVERTISEMENT &&
         memcmp(frame + ND_TARGET, q->target, 16) == 0;
}
