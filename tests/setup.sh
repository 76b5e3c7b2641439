#!/bin/bash
# The servers and the browser that tests talk to: installed when they are missing and this is root, never started here.
set -eu

need=()
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
has_dovecot() { has dovecot && [ -e "/usr/lib/dovecot/$1" ]; }

has_dovecot imap || need+=(dovecot-imapd)
has_dovecot pop3 || need+=(dovecot-pop3d)
has postfix || need+=(postfix)
has mbsync || need+=(isync)
has strace || need+=(strace)
has chromium || need+=(chromium)
# Without letters for Japanese its pictures show boxes, and lines are as long as nobody sees them.
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || need+=(fonts-noto-cjk)

if [ ${#need[@]} -eq 0 ]; then
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "The tests need programs that are not installed here. Run this, then try again:"
  echo "  sudo apt-get install --no-install-recommends ${need[*]}"
  exit 1
fi

echo "Installing for the tests: ${need[*]}"
export DEBIAN_FRONTEND=noninteractive
# The tests run servers of their own on other ports; those of the system stay off.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
log=$(mktemp)
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${need[@]}"; } > "$log" 2>&1; then
  cat "$log"
  echo "Installing failed; see above. The line was: apt-get install --no-install-recommends ${need[*]}"
  exit 1
fi
rm -f "$log"
