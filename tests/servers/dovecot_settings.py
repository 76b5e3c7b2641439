"""The settings of the private Dovecot, for 2.3 and for 2.4, whose settings have other names.

In flow its folder, ports, certificates and the owner of the mails, out flows the text of dovecot.conf.
"""

import grp
import os
from pathlib import Path
from typing import NamedTuple

from tests.servers.certificates import Certificates

PASSWORD = "correct-horse-7"


class Ports(NamedTuple):
    """All on loopback; imap and pop3 offer STARTTLS."""

    imap: int
    imaps: int
    pop3: int
    pop3s: int


def listeners(ports: Ports, off: str) -> str:
    """The login services; without root they change neither their user nor their root folder."""
    return f"""
service imap-login {{
  {off}
  inet_listener imap {{
    port = {ports.imap}
  }}
  inet_listener imaps {{
    port = {ports.imaps}
    ssl = yes
  }}
  service_count = 0
}}
service pop3-login {{
  {off}
  inet_listener pop3 {{
    port = {ports.pop3}
  }}
  inet_listener pop3s {{
    port = {ports.pop3s}
    ssl = yes
  }}
  service_count = 0
}}
service anvil {{
  {off}
  # Else each wrong password makes the next login from this machine wait, up to 15 seconds.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  {off}
}}
"""


def unprivileged(name: str, gid: int) -> tuple[str, str]:
    """The settings that let a user who is not root run all of it, and those for each login service."""
    if os.geteuid() == 0:
        return "", ""
    group = grp.getgrgid(gid).gr_name
    users = f"default_internal_user = {name}\ndefault_login_user = {name}\ndefault_internal_group = {group}"
    return users, "chroot ="


def configuration_23(folder: Path, ports: Ports, certificates: Certificates, owner: tuple[str, int, int]) -> str:
    """For Dovecot 2.3."""
    name, uid, gid = owner
    users, off = unprivileged(name, gid)
    return f"""
protocols = imap pop3
listen = 127.0.0.1, 127.0.0.2
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
{users}
ssl = yes
ssl_cert = <{certificates.server}
ssl_key = <{certificates.server}
local 127.0.0.2 {{
  ssl_cert = <{certificates.elsewhere}
  ssl_key = <{certificates.elsewhere}
}}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/users/%u
}}
{listeners(ports, off)}
"""


def configuration_24(folder: Path, ports: Ports, certificates: Certificates, owner: tuple[str, int, int]) -> str:
    """For Dovecot 2.4, whose settings have other names."""
    name, uid, gid = owner
    users, off = unprivileged(name, gid)
    return f"""
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = imap pop3
listen = 127.0.0.1, 127.0.0.2
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
{users}
ssl = yes
ssl_server_cert_file = {certificates.server}
ssl_server_key_file = {certificates.server}
local 127.0.0.2 {{
  ssl_server_cert_file = {certificates.elsewhere}
  ssl_server_key_file = {certificates.elsewhere}
}}
auth_allow_cleartext = yes
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
mail_driver = maildir
mail_path = ~/Maildir
mail_max_userip_connections = 100
namespace inbox {{
  inbox = yes
}}
passdb static {{
  password = {PASSWORD}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {folder}/users/%{{user}}
  }}
}}
{listeners(ports, off)}
"""
