#!/bin/sh
# Checks a package of evidence with a shell, coreutils, find, grep, sed and openssl. It needs no network and writes only into
# a temporary folder. Read it before you run it: it is meant to be read.
#
#   sh verify.sh [--policy FILE] [--keys FILE] [--tsa-ca FILE] [PACKAGE]
#
# PACKAGE is the folder that has bagit.txt in it; without it, the one this script lies in. --policy: logs and witnesses you
# trust; --keys: keys of authorities you trust; --tsa-ca: certificates of time-stamping authorities you trust. What is not
# given is taken from the package, and then proves only that the package is consistent.
#
# Not checked here, but by the program comity-verify: whether custody events can have happened in their order, whether items
# add up to exhibits, receipts, post-quantum signatures, and that every text is written in the one way it must be.
#
# exit codes: 0 everything holds, by keys you gave; 1 something does not; 2 wrong use; 3 everything holds, by keys of the package
set -eu
export LC_ALL=C
policy='' keys='' tsa_ca='' own=''
while [ $# -gt 0 ]; do
  case $1 in
    --policy) policy=$2; shift 2 ;;
    --keys) keys=$2; shift 2 ;;
    --tsa-ca) tsa_ca=$2; shift 2 ;;
    -*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) break ;;
  esac
done
absolute() { case $1 in /*) printf %s "$1" ;; *) printf %s "$PWD/$1" ;; esac; }
[ -z "$policy" ] || policy=$(absolute "$policy")
[ -z "$keys" ] || keys=$(absolute "$keys")
[ -z "$tsa_ca" ] || tsa_ca=$(absolute "$tsa_ca")
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
cd "${1:-$here/..}" || exit 2
t=$(mktemp -d); trap 'rm -rf "$t"' EXIT
bad() { echo "NOT VERIFIED: $*" >&2; exit 1; }
good() { echo "ok  $*"; }
# no shell looks at what is in the package, only these:
sha() { openssl dgst -sha256 -binary; }
hexof() { od -An -v -tx1 | tr -d ' \n'; }
same() { [ "$1" = "$2" ] || bad "$3"; }

# --- files: names first, then closed world, then hashes -------------------------------------------------------------------
[ -f bagit.txt ] && [ ! -h bagit.txt ] || bad "no bagit.txt here: $PWD"
[ -z "$(find . ! -type f ! -type d | head -n 1)" ] || bad "there is something that is no file and no folder (a link?)"
find . -type f | sed 's,^\./,,' | sort >"$t/there"
known='^(bagit\.txt|bag-info\.txt|(tag)?manifest-sha256\.txt|data/[0-9]{6,7}\.bin|seal/(files|exhibits|custody)\.jsonl|seal/(keys|policy)\.txt|seal/seal\.(json|tlog-proof)|seal/entry\.bin|seal/case\.jsonld|seal/checkpoint\.tsr|seal/tsa-chain\.pem|seal/receipts/[0-9]{1,4}\.(receipt|tlog-proof)|verify/(verify\.sh|README))$'
! grep -qvE "$known" "$t/there" || bad "a file no package has: $(grep -vE "$known" "$t/there" | head -n 1)"
line='^[0-9a-f]{64}  [A-Za-z0-9./_-]+$'
for list in manifest-sha256.txt tagmanifest-sha256.txt; do
  [ -f $list ] || bad "no $list"
  ! grep -qvE "$line" $list || bad "$list has a line that is none"
  ! cut -c67- $list | grep -qvE "$known" || bad "$list names a file no package has"
done
cat manifest-sha256.txt tagmanifest-sha256.txt | cut -c67- | sort >"$t/listed"
[ -z "$(uniq -d "$t/listed")" ] || bad "a file is listed twice"
grep -vx tagmanifest-sha256.txt "$t/there" | cmp -s - "$t/listed" || bad "files and lists differ: $(grep -vx tagmanifest-sha256.txt "$t/there" | diff - "$t/listed" | sed -n 2p)"
sha256sum -c --strict --quiet manifest-sha256.txt tagmanifest-sha256.txt >"$t/out" 2>&1 || bad "$(head -n 1 "$t/out")"
good "$(wc -l <"$t/there") files, each listed once, with the hashes listed"

# --- seal ----------------------------------------------------------------------------------------------------------------
field() { sed -n 's/.*"'"$1"'":"\([0-9a-f]\{64\}\)".*/\1/p' seal/seal.json; }
for pair in manifest:manifest-sha256.txt files:seal/files.jsonl exhibits:seal/exhibits.jsonl custody:seal/custody.jsonl keys:seal/keys.txt; do
  is=$(sha256sum <"${pair#*:}" | cut -c1-64)
  same "$(field "${pair%%:*}_sha256")" "$is" "${pair#*:} is not the file that was sealed"
done
sed -n 's/.*"others":{\([^}]*\)}.*/\1/p' seal/seal.json | tr , '\n' | sed -n 's/^"\([A-Za-z0-9./_-]*\)":"\([0-9a-f]\{64\}\)"$/\2  \1/p' >"$t/others"
! cut -c67- "$t/others" | grep -qvE "$known" || bad "the seal names a file no package has"
sha256sum -c --strict --quiet "$t/others" >"$t/out" 2>&1 || bad "not what was sealed: $(head -n 1 "$t/out")"
# what came after the seal has signatures of its own; everything else must be sealed
{ cut -c67- "$t/others"
  printf '%s\n' manifest-sha256.txt tagmanifest-sha256.txt seal/files.jsonl seal/exhibits.jsonl seal/custody.jsonl \
    seal/keys.txt seal/seal.json seal/seal.tlog-proof seal/entry.bin
  grep -q '"timestamp":true}$' seal/seal.json && printf '%s\n' seal/checkpoint.tsr seal/tsa-chain.pem
  cut -c67- manifest-sha256.txt; } | sort >"$t/sealed"
cmp -s "$t/there" "$t/sealed" || bad "files and seal differ: $(diff "$t/there" "$t/sealed" | sed -n 2p)"
good "the lists, the texts and the seal belong together"

# --- keys ----------------------------------------------------------------------------------------------------------------
# a verifier key is name+id+base64(type, public key); the id is the beginning of a SHA-256
keyfile() { # vkey: leaves name, id, type, and the public key for openssl in $t/key.der
  name=${1%%+*}; after=${1#*+}; id=${after%%+*}
  printf %s "${after#*+}" | base64 -d >"$t/key" 2>/dev/null || bad "not a key: $name"
  same "$id" "$({ printf '%s\n' "$name"; cat "$t/key"; } | sha256sum | cut -c1-8)" "the id of key $name is wrong"
  type=$(head -c 1 "$t/key" | hexof)
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; tail -c +2 "$t/key"; } >"$t/key.der"
}
ed25519() { # text signature(64 bytes): by the key of the last keyfile
  [ "$(wc -c <"$t/key")" -eq 33 ] &&
    openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$t/key.der" -in "$1" -sigfile "$2" >"$t/out" 2>&1
}
blob() { # lines-of-signatures: the bytes of the one by the last key, without its id, in $t/signature
  found=0
  for b in $(grep -F -- "— $name " "$1" | cut -d' ' -f3); do
    printf %s "$b" | base64 -d >"$t/blob" 2>/dev/null || bad "a signature by $name is not base64"
    if [ "$(head -c 4 "$t/blob" | hexof)" = "$id" ]; then tail -c +5 "$t/blob" >"$t/signature"; found=$((found + 1)); fi
  done
  [ $found -le 1 ] || bad "two signatures by $name"
  [ $found -eq 1 ]
}

# --- custody: person and authority have signed every event ----------------------------------------------------------------
if [ -z "$keys" ]; then keys=seal/keys.txt; own="$own --keys"; fi
events=0
while IFS= read -r custody; do
  printf '%s' "$custody" | sed -n 's/^{"event":\({.*}\),"signatures":\[.*\]}$/\1/p' | tr -d '\n' >"$t/event"
  [ -s "$t/event" ] || bad "custody event $((events + 1)) cannot be read"
  printf '%s' "$custody" | sed 's/.*,"signatures":\["\(.*\)"\]}$/\1/; s/","/\n/g' >"$t/lines"; echo >>"$t/lines"
  printf 'comity-custody/v1\n%s\n' "$(sha256sum <"$t/event" | cut -c1-64)" >"$t/text"
  actor=$(sed -n 's/^{"actor":{"authority":"\([a-z0-9-]*\)","key":"\([^"]*\)","name":"\([^"]*\)"}.*/\1 \2 \3/p' "$t/event")
  authority=${actor%% *}; rest=${actor#* }
  keyfile "${rest%% *}"; same "$name" "${rest#* }" "custody event $((events + 1)): the key has another name"
  blob "$t/lines" && ed25519 "$t/text" "$t/signature" || bad "custody event $((events + 1)): $name has not signed it"
  signed=no
  while IFS= read -r key; do
    case $key in "comity.$authority/custody/"*) ;; *) continue ;; esac
    keyfile "$key"
    if blob "$t/lines"; then ed25519 "$t/text" "$t/signature" || bad "custody event $((events + 1)): wrong signature by $name"; signed=yes; fi
  done <"$keys"
  [ $signed = yes ] || bad "custody event $((events + 1)): no known key of $authority has signed it"
  events=$((events + 1))
done <seal/custody.jsonl
[ $events -gt 0 ] || bad "there is no custody event"
good "$events custody events, each signed by a person and an authority"

# --- log: head -> root -> leaf -> seal ------------------------------------------------------------------------------------
if [ -z "$policy" ]; then policy=seal/policy.txt; own="$own --policy"; fi
proof=seal/seal.tlog-proof
sed -n '1,/^$/p' $proof >"$t/head"; sed '1,/^$/d' $proof >"$t/note"
sed -n '/^$/q;p' "$t/note" >"$t/checkpoint"; sed '1,/^$/d' "$t/note" >"$t/signatures"
same "$(sed -n 1p "$t/head")" c2sp.org/tlog-proof@v1 "the proof is none"
origin=$(sed -n 1p "$t/checkpoint"); size=$(sed -n 2p "$t/checkpoint")
log=no satisfied=' ' quorum=none
while read -r kind a b c; do
  case $kind in
    log)
      keyfile "$a"
      [ "$name" = "$origin" ] && [ "$type" = 01 ] || continue
      if blob "$t/signatures"; then ed25519 "$t/checkpoint" "$t/signature" || bad "wrong signature by $name"; log=yes; fi ;;
    witness)
      keyfile "$b"
      blob "$t/signatures" || continue
      if [ "$type" != 04 ]; then echo "    witness $a: a kind of signature openssl may not know; not counted here"; continue; fi
      # the time in front (8 bytes), then the signature over "cosignature/v1", that time and the checkpoint
      seconds=$(printf %d "0x$(head -c 8 "$t/signature" | hexof)"); tail -c +9 "$t/signature" >"$t/plain"
      { printf 'cosignature/v1\ntime %s\n' "$seconds"; cat "$t/checkpoint"; } >"$t/text"
      ed25519 "$t/text" "$t/plain" || bad "wrong signature by witness $a"
      satisfied="$satisfied$a "; echo "    witness $a has seen this log at $(date -u -d "@$seconds" +%FT%TZ 2>/dev/null || echo "$seconds")" ;;
    group)
      n=0 all=0
      for member in $c; do all=$((all + 1)); case $satisfied in *" $member "*) n=$((n + 1)) ;; esac; done
      case $b in any) need=1 ;; all) need=$all ;; *) need=$b ;; esac
      [ $n -lt "$need" ] || satisfied="$satisfied$a " ;;
    quorum) quorum=$a ;;
  esac
done <"$policy"
[ $log = yes ] || bad "no trusted key of $origin has signed the head of the log"
case $quorum in none) echo "    the policy asks for no witness" ;; *) case $satisfied in *" $quorum "*) ;; *) bad "too few witnesses" ;; esac ;; esac
sed -n 's/^extra //p' "$t/head" | base64 -d >"$t/extra"
[ "$(wc -c <"$t/extra")" -eq 108 ] || bad "the proof has no entry with its salt"
head -c 76 "$t/extra" >"$t/entry"; tail -c 32 "$t/extra" >"$t/salt"
cmp -s "$t/entry" seal/entry.bin || bad "seal/entry.bin is not the entry of the proof"
same "$(head -c 2 "$t/entry" | hexof)" 0101 "the entry is not that of a package"
# RFC 9162 section 2.1.3.2
{ printf '\000'; cat "$t/entry"; } | sha >"$t/node"
fn=$(sed -n 's/^index \([0-9]*\)$/\1/p' "$t/head"); sn=$((size - 1)); index=$fn
[ "$fn" -le "$sn" ] || bad "the index is not in the log"
for p in $(sed '1,/^index /d' "$t/head"); do
  [ "$sn" -gt 0 ] || bad "the path is too long"
  printf %s "$p" | base64 -d >"$t/p"
  if [ $((fn & 1)) = 1 ] || [ "$fn" = "$sn" ]; then
    { printf '\001'; cat "$t/p" "$t/node"; } | sha >"$t/next"
    while [ "$fn" != 0 ] && [ $((fn & 1)) = 0 ]; do fn=$((fn >> 1)); sn=$((sn >> 1)); done
  else
    { printf '\001'; cat "$t/node" "$t/p"; } | sha >"$t/next"
  fi
  mv "$t/next" "$t/node"; fn=$((fn >> 1)); sn=$((sn >> 1))
done
[ "$sn" = 0 ] || bad "the path is too short"
sed -n 3p "$t/checkpoint" | base64 -d | cmp -s - "$t/node" || bad "the log does not contain the entry"
{ printf 'comity-entry/v1\000'; cat "$t/salt"; sha <seal/seal.json; } | sha >"$t/commitment"
tail -c +13 "$t/entry" | head -c 32 | cmp -s - "$t/commitment" || bad "the entry was made for another seal"
good "$origin has committed to the seal: entry $index of $size"

# --- time ----------------------------------------------------------------------------------------------------------------
if [ -f seal/checkpoint.tsr ]; then
  if [ -z "$tsa_ca" ]; then tsa_ca=seal/tsa-chain.pem; own="$own --tsa-ca"; fi
  openssl ts -verify -data "$t/checkpoint" -in seal/checkpoint.tsr -CAfile "$tsa_ca" -untrusted seal/tsa-chain.pem >"$t/out" 2>&1 ||
    bad "the time stamp does not hold: $(tail -n 1 "$t/out")"
  openssl verify -check_ss_sig -CAfile seal/tsa-chain.pem seal/tsa-chain.pem >"$t/out" 2>&1 || bad "seal/tsa-chain.pem is damaged"
  good "time stamp: $(openssl ts -reply -in seal/checkpoint.tsr -text 2>/dev/null | sed -n 's/^Time stamp: //p')"
else
  echo "    no time stamp belongs to this package"
fi

if [ -n "$own" ]; then
  echo "CONSISTENT, by keys of the package itself. Give your own with:$own"
  exit 3
fi
echo "VERIFIED, by keys you gave"
