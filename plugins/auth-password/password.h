/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * password.h - what the two files of auth-password share
 *
 * source.c knows where the user's name and password come from; password.c knows what
 * the mechanisms do with them. */
#pragma once

#include <gsasl.h>
#include <mailrack/mailrack-plugin.h>

typedef struct
{
  RackSecret *password;
  char **command;
  char *file;
  char *keyring;
} Config;

typedef struct
{
  const Config *config;
  RackHost *host;
  Gsasl *gsasl;
  RackSecret *password; /* the one in use, or NULL */
  guint generation;     /* counts the passwords that were in use */
  gboolean accepted;    /* a server took it */
  char *user;           /* as a person answered, when the account names none */
} Account;

extern const RackParam source_params[];

/* Whether the configuration names one place only. */
gboolean source_check (const Config *config, GError **error);
/* Makes sure that account->password is set. */
gboolean source_load (Account *account, const RackPeer *peer, const RackWait *wait, GError **error);
/* After a refusal: forgets the password; TRUE if another one could be had without a person. */
gboolean source_renew (Account *account, const char *user, const char *host, const RackWait *wait);
/* Returns: (borrowed) the user's name, asked for if need be. */
const char *source_user (Account *account, const RackPeer *peer, const RackWait *wait,
                         GError **error);
