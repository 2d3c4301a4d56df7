/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * walk.c - reads every octet that a record points to; see fuzz.h */
#include "fuzz.h"

static volatile guint8 sink;

void
walk_str (RackStr str)
{
  g_assert (str.data != NULL || str.size == 0);
  for (gsize i = 0; i < str.size; i++)
    sink ^= (guint8) str.data[i];
}

static void
walk_strs (const RackStr *items, gsize n)
{
  for (gsize i = 0; i < n; i++)
    walk_str (items[i]);
}

static void
walk_pairs (const RackPair *items, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      walk_str (items[i].name);
      walk_str (items[i].value);
    }
}

static void
walk_addresses (RackAddresses addresses)
{
  for (guint i = 0; i < addresses.n; i++)
    {
      walk_str (addresses.items[i].name);
      walk_str (addresses.items[i].route);
      walk_str (addresses.items[i].mailbox);
      walk_str (addresses.items[i].host);
    }
}

static void
walk_ranges (RackRanges ranges)
{
  for (gsize i = 0; i < ranges.n; i++)
    g_assert (ranges.items[i].first > 0 && ranges.items[i].last > 0);
}

static void
walk_flags (const RackFlagList *flags)
{
  walk_strs (flags->names, flags->n_names);
  walk_strs (flags->keywords, flags->n_keywords);
  g_assert (flags->n_keywords <= flags->n_names);
}

void
walk_envelope (const RackEnvelope *envelope)
{
  walk_str (envelope->date);
  walk_str (envelope->subject);
  walk_addresses (envelope->from);
  walk_addresses (envelope->sender);
  walk_addresses (envelope->reply_to);
  walk_addresses (envelope->to);
  walk_addresses (envelope->cc);
  walk_addresses (envelope->bcc);
  walk_str (envelope->in_reply_to);
  walk_str (envelope->message_id);
}

static void
walk_one_part (const RackPart *part, guint depth)
{
  char section[2048];
  guint position = 0;

  g_assert (depth <= 128);
  g_assert (rack_part_section (part, section, sizeof section) < sizeof section);
  walk_str (part->type);
  walk_str (part->subtype);
  walk_pairs (part->params.items, part->params.n);
  walk_str (part->id);
  walk_str (part->description);
  walk_str (part->encoding);
  walk_str (part->md5);
  walk_str (part->disposition);
  walk_pairs (part->disposition_params.items, part->disposition_params.n);
  walk_strs (part->languages, part->n_languages);
  walk_str (part->location);
  if (part->envelope != NULL)
    walk_envelope (part->envelope);
  for (const RackPart *child = part->child; child != NULL; child = child->next)
    {
      g_assert (child->parent == part && child->position == ++position);
      walk_one_part (child, depth + 1);
    }
}

void
walk_part (const RackPart *root)
{
  g_assert (root->parent == NULL && root->next == NULL && root->position == 0);
  walk_one_part (root, 0);
}

void
walk_message (const RackMessage *message)
{
  RackFields fields = message->fields;

  g_assert (((fields & RACK_FIELD_UID) != 0) == (message->uid != 0));
  g_assert ((fields & RACK_FIELD_SIZE) != 0 || message->size == 0);
  g_assert ((fields & RACK_FIELD_MODSEQ) != 0 || message->modseq == 0);
  g_assert (((fields & RACK_FIELD_ENVELOPE) != 0) == (message->envelope != NULL));
  g_assert (((fields & RACK_FIELD_BODY) != 0) == (message->body != NULL));
  g_assert (((fields & RACK_FIELD_SECTION) != 0) == (message->n_sections > 0));
  walk_flags (&message->flags);
  if (message->envelope != NULL)
    walk_envelope (message->envelope);
  if (message->body != NULL)
    walk_part (message->body);
  for (guint i = 0; i < message->n_sections; i++)
    {
      walk_str (message->sections[i].name);
      walk_str (message->sections[i].section);
      walk_str (message->sections[i].data);
    }
  walk_str (message->email_id);
  walk_str (message->thread_id);
  walk_strs (message->gm_labels, message->n_gm_labels);
  walk_str (message->preview);
  for (guint i = 0; i < message->n_items; i++)
    {
      g_autoptr (RackArena) arena = rack_arena_new ();
      walk_str (message->items[i].name);
      walk_str (message->items[i].raw);
      walk_value (rack_value_parse (arena, message->items[i].raw, NULL));
    }
}

gsize
walk_value (const RackValue *first)
{
  gsize n = 0;

  for (const RackValue *value = first; value != NULL; value = value->next, n++)
    {
      walk_str (value->text);
      g_assert (value->child == NULL || value->kind == RACK_VALUE_LIST);
      n += walk_value (value->child);
    }
  return n;
}

static void
walk_code (const RackCode *code)
{
  walk_str (code->name);
  walk_str (code->argument);
  walk_ranges (code->uids);
  walk_ranges (code->copies);
  walk_flags (&code->flags);
  walk_strs (code->atoms, code->n_atoms);
}

static void
walk_namespaces (const RackNamespaceItem *items, guint n)
{
  for (guint i = 0; i < n; i++)
    walk_str (items[i].prefix);
}

static void
walk_quota (const RackQuotaData *quota)
{
  walk_str (quota->root);
  for (guint i = 0; i < quota->n_resources; i++)
    walk_str (quota->resources[i].name);
}

void
walk_response (const RackResponse *response)
{
  walk_str (response->tag);
  walk_str (response->name);
  walk_str (response->raw);
  switch (response->kind)
    {
    case RACK_RESPONSE_STATUS:
    case RACK_RESPONSE_CONTINUE:
      walk_code (&response->status.code);
      walk_str (response->status.text);
      break;
    case RACK_RESPONSE_CAPABILITY:
    case RACK_RESPONSE_ENABLED:
      walk_strs (response->atoms.items, response->atoms.n);
      break;
    case RACK_RESPONSE_FETCH:
      walk_message (&response->message);
      break;
    case RACK_RESPONSE_FLAGS:
      walk_flags (&response->flags);
      break;
    case RACK_RESPONSE_LIST:
    case RACK_RESPONSE_LSUB:
      walk_strs (response->list.names, response->list.n_names);
      walk_str (response->list.mailbox);
      walk_str (response->list.old_name);
      break;
    case RACK_RESPONSE_MAILBOX_STATUS:
      walk_str (response->mailbox_status.mailbox);
      walk_str (response->mailbox_status.mailbox_id);
      walk_str (response->mailbox_status.raw);
      break;
    case RACK_RESPONSE_SEARCH:
      walk_str (response->search.tag);
      walk_ranges (response->search.all);
      break;
    case RACK_RESPONSE_SORT:
      for (gsize i = 0; i < response->sort.n; i++)
        g_assert (response->sort.items[i] > 0);
      break;
    case RACK_RESPONSE_VANISHED:
      walk_ranges (response->vanished.uids);
      break;
    case RACK_RESPONSE_NAMESPACE:
      walk_namespaces (response->namespaces.personal, response->namespaces.n_personal);
      walk_namespaces (response->namespaces.others, response->namespaces.n_others);
      walk_namespaces (response->namespaces.shared, response->namespaces.n_shared);
      break;
    case RACK_RESPONSE_ID:
      walk_pairs (response->pairs.items, response->pairs.n);
      break;
    case RACK_RESPONSE_QUOTA:
      walk_quota (&response->quota);
      break;
    case RACK_RESPONSE_QUOTAROOT:
      walk_str (response->quota_roots.mailbox);
      walk_strs (response->quota_roots.items, response->quota_roots.n);
      break;
    case RACK_RESPONSE_ACL:
      walk_str (response->acl.mailbox);
      walk_pairs (response->acl.items, response->acl.n);
      break;
    case RACK_RESPONSE_LISTRIGHTS:
      walk_str (response->list_rights.mailbox);
      walk_str (response->list_rights.identifier);
      walk_str (response->list_rights.required);
      walk_strs (response->list_rights.items, response->list_rights.n);
      break;
    case RACK_RESPONSE_MYRIGHTS:
      walk_str (response->my_rights.mailbox);
      walk_str (response->my_rights.rights);
      break;
    case RACK_RESPONSE_EXISTS:
    case RACK_RESPONSE_RECENT:
    case RACK_RESPONSE_EXPUNGE:
    case RACK_RESPONSE_THREAD:
    case RACK_RESPONSE_OTHER:
      break;
    }
}
