# SPDX-License-Identifier: LGPL-2.1-or-later
"""IMAPClient's public interface, as its documentation of versions 3 and 4 has it: names, parameters
and defaults.  Where the library is installed, the test of the table looks at that as well."""

METHODS = {
    "add_flags": "messages, flags, silent=False",
    "add_gmail_labels": "messages, labels, silent=False",
    "append": "folder, msg, flags=(), msg_time=None",
    "capabilities": "",
    "close_folder": "",
    "copy": "messages, folder",
    "create_folder": "folder",
    "delete_folder": "folder",
    "delete_messages": "messages, silent=False",
    "enable": "*capabilities",
    "expunge": "messages=None",
    "fetch": "messages, data, modifiers=None",
    "find_special_folder": "folder_flag",
    "folder_exists": "folder",
    "folder_status": "folder, what=None",
    "get_flags": "messages",
    "get_gmail_labels": "messages",
    "get_quota": "mailbox='INBOX'",
    "get_quota_root": "mailbox",
    "getacl": "folder",
    "gmail_search": "query, charset='UTF-8'",
    "has_capability": "capability",
    "id_": "parameters=None",
    "idle": "",
    "idle_check": "timeout=None",
    "idle_done": "",
    "list_folders": "directory='', pattern='*'",
    "list_sub_folders": "directory='', pattern='*'",
    "login": "username, password",
    "logout": "",
    "move": "messages, folder",
    "multiappend": "folder, msgs",
    "namespace": "",
    "noop": "",
    "oauth2_login": "user, access_token, mech='XOAUTH2', vendor=None",
    "oauthbearer_login": "identity, access_token",
    "plain_login": "identity, password, authorization_identity=None",
    "remove_flags": "messages, flags, silent=False",
    "remove_gmail_labels": "messages, labels, silent=False",
    "rename_folder": "old_name, new_name",
    "sasl_login": "mech_name, mech_callable",
    "search": "criteria='ALL', charset=None",
    "select_folder": "folder, readonly=False",
    "set_flags": "messages, flags, silent=False",
    "set_gmail_labels": "messages, labels, silent=False",
    "set_quota": "quotas",
    "setacl": "folder, who, what",
    "shutdown": "",
    "socket": "",
    "sort": "sort_criteria, criteria='ALL', charset='UTF-8'",
    "starttls": "ssl_context=None",
    "subscribe_folder": "folder",
    "thread": "algorithm='REFERENCES', criteria='ALL', charset='UTF-8'",
    "uid_expunge": "messages",
    "unselect_folder": "",
    "unsubscribe_folder": "folder",
    "xlist_folders": "directory='', pattern='*'",
}

ATTRIBUTES = {"folder_encode", "host", "normalise_times", "port", "ssl", "ssl_context", "stream",
              "use_uid", "welcome"}


def installed():
    """The same of the library on this machine; None: it is not there."""
    try:
        import inspect

        import imapclient
    except ImportError:
        return None
    found = {}
    for name, value in inspect.getmembers(imapclient.IMAPClient, inspect.isfunction):
        if not name.startswith("_"):
            parameters = list(inspect.signature(value).parameters.values())[1:]
            found[name] = ", ".join(str(each.replace(annotation=each.empty)) for each in parameters)
    return found
