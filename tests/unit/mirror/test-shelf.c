/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-shelf.c - what is found by number and by name */
#include "shelf.h"

#define MANY 2000

typedef struct
{
  RackShelved shelved;
  char name[16];
} Thing;

static void
add (RackShelf *shelf, Thing *thing, guint64 id, const char *name)
{
  g_strlcpy (thing->name, name, sizeof thing->name);
  rack_shelf_add (shelf, &thing->shelved, id, thing->name, thing);
}

/* The numbers, from the one after that. */
static void
check (const RackShelf *shelf, guint64 after, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (RackShelved *at = rack_shelf_after (shelf, after); at != NULL; at = rack_shelved_next (at))
    g_string_append_printf (text, "%d ", (int) at->id);
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_order (void)
{
  RackShelf *shelf = rack_shelf_new ();
  Thing things[3] = { 0 };
  g_assert_true (rack_shelf_is_empty (shelf));
  check (shelf, 0, "");
  add (shelf, &things[0], 5, "five");
  add (shelf, &things[1], 2, "two");
  add (shelf, &things[2], 9, "nine");
  check (shelf, 0, "2 5 9 ");
  check (shelf, 2, "5 9 ");
  check (shelf, 4, "5 9 ");
  check (shelf, 9, "");
  g_assert_true (rack_shelf_find (shelf, "two")->thing == &things[1]);
  g_assert_null (rack_shelf_find (shelf, "three"));
  rack_shelf_remove (shelf, &things[0].shelved);
  g_assert_null (things[0].shelved.place);
  check (shelf, 0, "2 9 ");
  g_assert_null (rack_shelf_find (shelf, "five"));
  g_assert_false (rack_shelf_is_empty (shelf));
  rack_shelf_free (shelf);
}

/* Whichever of three goes first, the others are found in their order. */
static void
test_namesakes (void)
{
  for (guint goes = 0; goes < 3; goes++)
    {
      RackShelf *shelf = rack_shelf_new ();
      Thing things[3] = { 0 };
      for (guint i = 0; i < 3; i++)
        add (shelf, &things[i], i + 1, "same");
      rack_shelf_remove (shelf, &things[goes].shelved);
      RackShelved *first = rack_shelf_find (shelf, "same");
      g_assert_cmpuint (first->id, ==, goes == 0 ? 2 : 1);
      g_assert_cmpuint (first->namesake->id, ==, goes == 2 ? 2 : 3);
      g_assert_null (first->namesake->namesake);
      /* The name that the table has is that of the first, which may be freed. */
      things[goes].name[0] = '\0';
      rack_shelf_remove (shelf, first);
      g_assert_cmpuint (rack_shelf_find (shelf, "same")->id, ==, goes == 2 ? 2 : 3);
      rack_shelf_free (shelf);
    }
}

static void
test_many (void)
{
  RackShelf *shelf = rack_shelf_new ();
  g_autofree Thing *things = g_new0 (Thing, MANY);
  char name[16];
  for (guint i = 0; i < MANY; i++)
    {
      guint id = i * 7 % MANY + 1;
      g_snprintf (name, sizeof name, "%u", id % 500);
      add (shelf, &things[id - 1], id, name);
    }
  for (guint i = 0; i < MANY; i += 2)
    rack_shelf_remove (shelf, &things[i].shelved);
  guint found = 0, named = 0;
  for (RackShelved *at = rack_shelf_after (shelf, 0); at != NULL; at = rack_shelved_next (at))
    g_assert_cmpuint (at->id, ==, 2 * ++found);
  g_assert_cmpuint (found, ==, MANY / 2);
  for (const RackShelved *at = rack_shelf_find (shelf, "20"); at != NULL; at = at->namesake)
    named += at->id % 500 == 20;
  g_assert_cmpuint (named, ==, 4);
  rack_shelf_free (shelf);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mirror/shelf/order", test_order);
  g_test_add_func ("/mirror/shelf/namesakes", test_namesakes);
  g_test_add_func ("/mirror/shelf/many", test_many);
  return g_test_run ();
}
