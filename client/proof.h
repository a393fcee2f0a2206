/*
 * The role `proof`: holds who we are and proves it. The client's side of the
 * Noise handshake and of the login (PROTOCOL.md section 1); what goes over
 * the wire is carried by an engine that understands none of it.
 */
#ifndef PROOF_H
#define PROOF_H

struct msg_boot;

#define PROOF_HANDSHAKES 8 /* at a time; the oldest goes first */

/* Run the role until its channel closes. The exit status. */
int proof_main(const struct msg_boot *boot);

#endif
