# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configuration of the private Dovecot, as text.

Everything runs as one unprivileged user, without chroot, under one directory.  Besides the good
listeners on 127.0.0.1 (and ::1) there is one that has no TLS at all and one for each bad
certificate, told apart by the loopback address and all on the same two ports: see ADDRESSES.
dovecot.py fills in the values and runs it.
"""

PLAIN_ONLY = "127.0.0.2"     # no TLS: STARTTLS is not offered, nothing listens for implicit TLS

# address -> the certificate (of certs.py) that is presented there
ADDRESSES = {
    "127.0.0.3": "wrong-host",
    "127.0.0.4": "expired",
    "127.0.0.5": "self-signed",
    "127.0.0.6": "unknown-ca",
    "127.0.0.7": "cn-only",
}

PASSWORD_MECHANISMS = "plain login cram-md5 scram-sha-1 scram-sha-256"

_MAIN = """\
# Written by tests/support/dovecot.py: a server for tests, on loopback only.
base_dir = {root}/run
state_dir = {root}/state
mail_temp_dir = {root}/state
log_path = {root}/log
instance_name = mailrack-test
login_greeting = Private Dovecot {instance} ready.
listen = {listen}
protocols = imap

default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_vsz_limit = 0
first_valid_uid = 1
mail_uid = {uid}
mail_gid = {gid}

ssl = yes
ssl_min_protocol = TLSv1.2
ssl_cert = <{cert}
ssl_key = <{key}
local {plain_only} {{
  ssl = no
}}
{bad_certificates}
disable_plaintext_auth = no
auth_mechanisms = {mechanisms} oauthbearer xoauth2
auth_failure_delay = 0
auth_verbose = yes
auth_username_chars =
passdb {{
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = {root}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = {mechanisms}
  args = {root}/users/%u
}}
userdb {{
  driver = passwd-file
  args = {root}/users/%u
  default_fields = uid={uid} gid={gid} home={root}/mail/%u
}}

mail_location = {storage}:~/{storage}
mail_fsync = never
mail_max_userip_connections = 1000
# IDLE looks for itself this often; inotify tells it sooner, while instances are left.
mailbox_idle_check_interval = 2 secs
mail_plugins = acl quota zlib notify listescape
mail_attribute_dict = file:%h/attributes
imap_metadata = yes
protocol imap {{
  mail_plugins = $mail_plugins imap_acl imap_quota imap_zlib
}}
protocol lda {{
  mail_plugins = $mail_plugins
}}
lda_mailbox_autocreate = yes
lda_mailbox_autosubscribe = yes
postmaster_address = postmaster@localhost
hostname = localhost
plugin {{
  acl = vfile::cache_secs=1
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=100G
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
{special_use}}}

# Without the penalty socket: a refused login does not slow down the next ones.
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  process_limit = 1
  client_limit = 2000
  inet_listener imap {{
    address = {listen}
    port = {imap}
  }}
  inet_listener imaps {{
    address = {listen}
    port = {imaps}
  }}
{listeners}}}
service imap {{
  process_min_avail = 1
  process_limit = 2000
}}
"""

_LISTENER = """\
  inet_listener {name} {{
    address = {address}
    port = {port}
{ssl}  }}
"""

_MAILBOX = """\
  mailbox {name} {{
    special_use = \\{name}
    auto = subscribe
  }}
"""

_SPECIAL_USE = ("Drafts", "Junk", "Sent", "Trash", "Archive")


def main_file(values, certificates, extra=""):
    """dovecot.conf: values fill the template (see dovecot.py), extra is appended."""
    listeners = _LISTENER.format(name="imap-plain-only", address=PLAIN_ONLY, port=values["imap"],
                                 ssl="")
    local = ""
    for address, name in ADDRESSES.items():
        chain, key = certificates[name]
        local += f"local {address} {{\n  ssl_cert = <{chain}\n  ssl_key = <{key}\n}}\n"
        listeners += _LISTENER.format(name=f"imap-{name}", address=address, port=values["imap"],
                                      ssl="")
        listeners += _LISTENER.format(name=f"imaps-{name}", address=address,
                                      port=values["imaps"], ssl="    ssl = yes\n")
    special = "".join(_MAILBOX.format(name=name) for name in _SPECIAL_USE)
    return _MAIN.format(**values, listeners=listeners, bad_certificates=local,
                        special_use=special, plain_only=PLAIN_ONLY,
                        mechanisms=PASSWORD_MECHANISMS) + extra


def oauth2_file(root):
    """What passdb oauth2 reads: tokens are JWTs checked here, against keys/AZP/ALG/KID."""
    return ("introspection_mode = local\n"
            f"local_validation_key_dict = fs:posix:prefix={root}/keys/\n"
            "username_attribute = sub\n")
