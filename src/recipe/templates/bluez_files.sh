#!/bin/sh
# What BlueZ is to know of one device, from the capture @WORKS@.
#
#   sudo sh cure.sh install      puts it into /var/lib/bluetooth
#   sudo sh cure.sh remove       takes it away again
#
# Then your program does what the working host did (@WRITES@ of these are needed):
#
@TABLE@
set -eu
peer=@PEER@
adapter=${ADAPTER:-@ADAPTER@}
root=${BLUETOOTH_ROOT:-/var/lib/bluetooth}
cache=@HAS_CACHE@

trouble() {
    echo "cure.sh: $*" >&2
    exit 1
}

# The files of this device, read by bluetoothd when it starts.
info_text() {
    cat <<'END_OF_INFO'
@INFO@
END_OF_INFO
}

cache_text() {
    cat <<'END_OF_CACHE'
@CACHE@
END_OF_CACHE
}

# The adapter's own folder: the one of the failing capture, else the only one there is.
folder() {
    if [ -n "$adapter" ] && [ -d "$root/$adapter" ]; then
        return
    fi
    found=
    for one in "$root"/??:??:??:??:??:??; do
        [ -d "$one" ] || continue
        [ -z "$found" ] || trouble "several adapters in $root: say which, as in ADAPTER=00:11:22:33:44:55 sh cure.sh install"
        found=$one
    done
    if [ -n "$found" ]; then
        adapter=${found##*/}
    elif [ -z "$adapter" ]; then
        trouble "no adapter in $root yet: start bluetooth once, or say which, as in ADAPTER=00:11:22:33:44:55 sh cure.sh install"
    fi
}

# bluetoothd writes its own files when it stops: it must not run meanwhile.
stop() {
    running=no
    [ "$root" = /var/lib/bluetooth ] || return 0
    if [ -d /run/systemd/system ]; then
        systemctl is-active --quiet bluetooth && running=yes
        systemctl stop bluetooth
    elif pidof bluetoothd >/dev/null; then
        trouble "bluetoothd runs: stop it, run this again, and start it"
    fi
}

start() {
    [ "$running" = no ] || systemctl start bluetooth
}

# What stood there before is kept, once.
keep() {
    [ ! -e "$1.before" ] && [ ! -e "$1.none-before" ] || return 0
    if [ -e "$1" ]; then mv "$1" "$1.before"; else : >"$1.none-before"; fi
}

give_back() {
    if [ -e "$1.before" ]; then
        mv "$1.before" "$1"
    elif [ -e "$1.none-before" ]; then
        rm -f "$1" "$1.none-before"
    fi
}

install_files() {
    info=$root/$adapter/$peer/info
    if [ -e "$info" ] && grep -q 'Key\]' "$info"; then
        trouble "$peer is bonded with this host: its info file holds keys and is left alone. Add these lines to it by hand:
$(info_text)"
    fi
    stop
    umask 077
    mkdir -p "$root/$adapter/$peer" "$root/$adapter/cache"
    keep "$info"
    info_text >"$info"
    if [ "$cache" = yes ]; then
        keep "$root/$adapter/cache/$peer"
        cache_text >"$root/$adapter/cache/$peer"
    fi
    start
    echo "cure.sh: $peer is set up under $root/$adapter"
}

remove_files() {
    stop
    for file in "$root/$adapter/$peer/info" "$root/$adapter/cache/$peer"; do
        give_back "$file"
    done
    rmdir "$root/$adapter/$peer" 2>/dev/null || true
    start
    echo "cure.sh: $peer is as before"
}

[ "$root" != /var/lib/bluetooth ] || [ "$(id -u)" = 0 ] || trouble "only root may change $root: sudo sh cure.sh ${1:-install}"
case ${1:-} in
install) folder && install_files ;;
remove) folder && remove_files ;;
*) trouble "say install or remove" ;;
esac
