# Every test of this layout that CI runs, and those named as arguments; rollback takes a disk away, and comounts the hierarchies: they
# come last. Without the binary, only the tests of the tests and of the tables.
scripts="image roundtrip random regressions modes dry delegation devices freeze $* rollback comounts bare"
if [ ! -x /bin/cgraft ]; then
	echo "skip - $scripts: there is no target/cgraft; scripts/build makes it"
	scripts=
fi
status=0
for script in selftest complete translated $scripts; do
	sh "/vm/$script.sh" || status=1
done
exit $status
