# fuzz_sketch.sh DIR: the sketches of fuzz_sketch.txt (text forms: of each kind of column, exact and beyond, with and
# without weights) as bytes behind the selector 0, and programs behind the selector 1
set -e
out=${1:?}
i=0
while read -r text; do
	i=$((i + 1))
	{
		printf '\000'
		printf %s "${text#fms1:}" | base64 -d
	} >"$out/sketch_$i"
done <test/fuzz/seeds/fuzz_sketch.txt
for flags in 0 1 2 3; do
	{
		# 80 steps of 10 bytes: each adds a value 1, 4 or 128 times
		printf '\001\042\003\00%s\000' "$flags"
		for step in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
			for opcode in '\340' '\341' '\342' '\103' '\045'; do
				printf "$opcode\\00$((step % 8))\\$(printf %03o "$((step * 13))")value\\077\\100"
			done
		done
		printf '\100\000\001\200\001\003'
	} >"$out/program_$flags"
done
