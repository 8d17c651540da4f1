#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# The model of promise.c, scenario by scenario, and with planted bugs. TAP.
#
#	promise.t [NAME...]	these scenarios or mutants only
#
# KNG_SLOW=1: the slow ones too.
use strict;
use warnings;
use File::Basename;
use File::Path;
use Cwd qw(abs_path);

my $here = abs_path(dirname($0));
my $top = abs_path("$here/../../..");
my $out = "$top/build/model";
my $jobs = 2;

# name, what goes on, memory ("s": only if there is time), jobs, slack,
# full slots, room of all maps ('': no bound), what must be reachable, threads
my @scenarios = (
	['fill-fill', 'two exchanges, one job', 'sc weak', 1, 0, 0, '', 'full == 1',
	 'fill(0, 3, true)', 'fill(1, 4, true)'],
	['refused', 'an exchange where no job is left', 'sc', 1, 0, 1, '', 'slot0 == 1 && full == 1',
	 'fill(0, 3, true)', 'fill(1, 4, true)'],
	['inc-nmi', 'race 1: an exchange against frees in NMI', 'sc weak', 1, 0, 1, '',
	 '!full && pending.counter == 1', 'nmi(0)', 'fill(1, 4, false)', 'nmi(1)'],
	['inc-nmi-work', 'race 1 while a job comes back', 'sc', 2, 1, 1, '', 'full == 1',
	 'nmi(0)', 'fill(1, 4, false)', 'nmi(1)', 'work()'],
	['raced', 'race 1 while a program takes the reference', 'sc', 1, 0, 1, '', 'full == 1',
	 'nmi(0)', 'fill(1, 4, false)', 'take(0)'],
	['hidden', 'a job taken for a slot that was empty then', 'sc', 2, 1, 1, '', 'full == 1',
	 'nmi(0)', 'fill(1, 4, false)', 'nmi(1)', 'take(0)'],
	['trim-inc', 'race 2: a trim against two exchanges', 'sc weak', 2, 0, 0, '', 'full == 2',
	 'fill(0, 3, false)', 'fill(1, 4, false)', 'trim(1, 0)'],
	['trim-part', 'race 2: the trimmer can mark less than it asked for', 'sc', 3, 0, 0, '',
	 'full == 2 && promise.limit.counter == 2',
	 'fill(0, 3, false)', 'fill(1, 4, false)', 'trim(2, 1)'],
	['trim-nmi', 'race 2 with frees in NMI', 'sc', 3, 1, 1, '', 'promise.limit.counter == 2',
	 'nmi(0)', 'fill(1, 4, false)', 'trim(1, 0)'],
	['trim-all', 'race 2 with frees in NMI and the worker', 'sc-s', 3, 2, 1, '', 'full == 1',
	 'nmi(0)', 'fill(1, 4, false)', 'nmi(1); work()', 'trim(1, 0)'],
	['free', 'race 3: teardown outside NMI against exchanges', 'sc', 1, 0, 1, '', 'slot1 == 4',
	 'free_outside(0)', 'take(0)', 'fill(1, 4, false)'],
	['free-refill', 'race 3: the slot is filled again', 'sc', 1, 0, 1, '', 'slot0 == 3',
	 'free_outside(0)', 'nmi(0)', 'fill(0, 3, false)'],
	['come', 'a map comes while an exchange is under way', 'sc', 1, 0, 0, 1, 'full == 1',
	 'fill(0, 3, false)', 'add_room(1); fill(1, 4, false)'],
	['come-trim', 'a map comes while jobs are trimmed', 'sc weak', 2, 0, 1, 1, 'full == 2',
	 'add_room(1); fill(1, 4, false)', 'trim(1, 0)'],
	['go', 'a map goes', 'sc', 1, 0, 1, 2, 'slot1 == 4',
	 'free_outside(0); add_room(-1)', 'fill(1, 4, false)', 'nmi(1)'],
	['go-nmi', 'a map goes whose references are in jobs', 'sc', 1, 0, 1, 2,
	 '!full && !pending.counter', 'nmi(0); add_room(-1); work()', 'fill(1, 4, false)', 'free_outside(1)'],
	['grow', 'there are more jobs', 'sc', 1, 0, 1, '', 'slot1 == 4',
	 'fill(1, 4, false)', 'grow()', 'nmi(0); nmi(1)'],
);

# name, what is wrong, file, scenario, memory model, and the edit (of $_)
my @mutants = (
	['take-looks-first', 'take looks before it counts', 'kng_promise.h', 'fill-fill', 'sc',
	 sub { s/s64 refs = atomic64_inc_return\(&p->refs\);/s64 refs = atomic64_read(&p->refs) + 1;/ and
	       s/(limit\), bounds\)\))\n\t\treturn true;\n\tatomic64_dec\(&p->refs\);/$1 {\n\t\tatomic64_inc(&p->refs);\n\t\treturn true;\n\t}/ }],
	['take-relaxed', 'the increment in take is not ordered', 'kng_promise.h', 'trim-inc', 'weak',
	 sub { s/s64 refs = atomic64_inc_return\(&p->refs\);/s64 refs;\n\n\tatomic64_inc(&p->refs);\n\trefs = atomic64_read(&p->refs);/ }],
	['take-no-restore', 'take does not give back what it refused', 'kng_promise.h', 'fill-fill', 'sc',
	 sub { s/(return true;\n)\tatomic64_dec\(&p->refs\);\n/$1/ }],
	['take-always', 'take refuses nothing', 'kng_promise.h', 'fill-fill', 'sc',
	 sub { s/(atomic64_read\(&p->limit\), bounds\))/$1 || true/ }],
	['take-ignores-in-use', 'references in jobs do not count', 'kng_promise.h', 'inc-nmi', 'sc',
	 sub { s/refs \+ atomic_read\(&p->pool->in_use\)/refs/ }],
	['in-use-first', 'in_use is read before refs', 'kng_promise.h', 'inc-nmi', 'sc',
	 sub { s/(\tsmp_rmb\(\); \/\* Pairs with the increment)/\ts64 in_use = early;\n$1/ and
	       s/refs \+ atomic_read\(&p->pool->in_use\)/refs + in_use/ and
	       s/s64 limit,\n/s64 early, s64 limit,\n/ and
	       s/(\ts64 refs = atomic64_inc_return)/\ts64 early = atomic_read(&p->pool->in_use);\n$1/ and
	       s/(p, refs, )(atomic64_read)/$1early, $2/ and
	       s/(p, atomic64_read\(&p->refs\), )/$1atomic_read(&p->pool->in_use), / }],
	['in-use-before-bounds', 'in_use is read before the bounds', 'kng_promise.h', 'go-bounds', 'sc',
	 sub { s/(\trefs = kng_promise_clamp)/\ts64 in_use = atomic_read(&p->pool->in_use);\n$1/ and
	       s/refs \+ atomic_read\(&p->pool->in_use\)/refs + in_use/ }],
	['bounds-first', 'take asks for the bounds before it counts', 'kng_promise.h', 'come', 'sc',
	 sub { s/kng_promise_clamp\(refs, bounds\(\)\)/kng_promise_clamp(refs, early)/ and
	       s/struct kng_bounds \(\*bounds\)\(void\)\)\n\{\n\tsmp_rmb/struct kng_bounds early)\n{\n\tsmp_rmb/ and
	       s/(\ts64 refs = atomic64_inc_return)/\tstruct kng_bounds early = bounds();\n$1/ and
	       s/(atomic64_read\(&p->limit\), )bounds/$1early/ and
	       s/(atomic64_read\(&p->refs\), limit, )bounds/$1bounds()/ }],
	['bounds-first-trim', 'lower asks for the bounds before it looks', 'kng_promise.h', 'come-trim', 'sc',
	 sub { s/kng_promise_clamp\(refs, bounds\(\)\)/kng_promise_clamp(refs, early)/ and
	       s/struct kng_bounds \(\*bounds\)\(void\)\)\n\{\n\tsmp_rmb/struct kng_bounds early)\n{\n\tsmp_rmb/ and
	       s/(\ts64 limit = atomic64_sub_return)/\tstruct kng_bounds early = bounds();\n$1/ and
	       s/(atomic64_read\(&p->limit\), )bounds/$1bounds()/ and
	       s/(atomic64_read\(&p->refs\), limit, )bounds/$1early/ }],
	['clamp-stored', 'the clamp is stored', 'kng_promise.h', 'come', 'sc',
	 sub { s/(\trefs = kng_promise_clamp\(refs, bounds\(\)\);\n)/$1\tatomic64_set(&p->refs, refs);\n/ }],
	['lower-looks-first', 'lower looks before it lowers', 'kng_promise.h', 'trim-inc', 'sc',
	 sub { s/s64 limit = atomic64_sub_return\(jobs, &p->limit\);/s64 limit = atomic64_read(&p->limit) - (s64)jobs;/ and
	       s/(limit, bounds\)\))\n\t\treturn true;\n\tatomic64_add\(jobs, &p->limit\);/$1 {\n\t\tatomic64_add(-(s64)jobs, &p->limit);\n\t\treturn true;\n\t}/ }],
	['lower-refs-first', 'lower reads refs before it lowers', 'kng_promise.h', 'trim-inc', 'sc',
	 sub { s/(\ts64 limit = atomic64_sub_return)/\ts64 refs = atomic64_read(&p->refs);\n$1/ and
	       s/atomic64_read\(&p->refs\), limit/refs, limit/ }],
	['lower-relaxed', 'the subtraction in lower is not ordered', 'kng_promise.h', 'trim-inc', 'weak',
	 sub { s/s64 limit = atomic64_sub_return\(jobs, &p->limit\);/s64 limit;\n\n\tatomic64_add(-(s64)jobs, &p->limit);\n\tlimit = atomic64_read(&p->limit);/ }],
	['lower-no-restore', 'lower keeps what is promised', 'kng_promise.h', 'trim-inc', 'sc',
	 sub { s/(return true;\n)\tatomic64_add\(jobs, &p->limit\);\n/$1/ }],
	['raise-first', 'the limit is raised before the jobs are there', 'promise.c', 'grow', 'sc',
	 sub { s/(\tmodel_stack_push\(&kng_pool\);\n)(\tkng_promise_raise\(&promise, 1\);\n)/$2$1/ }],
	['no-back', 'what an exchange takes out stays counted', 'exact.c', 'free', 'sc',
	 sub { s/\tif \(old\)\n\t\tkng_promise_back\(&promise\);\n// }],
	['back-before-xchg', 'what an exchange takes out is not counted while it is there', 'exact.c', 'free', 'sc',
	 sub { s/(\told = xchg)/\tif (*slot_of(slot))\n\t\tkng_promise_back(&promise);\n$1/ and
	       s/\tif \(old\)\n\t\tkng_promise_back\(&promise\);\n// }],
	['count-late', 'an exchange counts after it has put the reference in', 'exact.c', 'fill-fill', 'sc',
	 sub { s/ptr && !let_in\(\)/ptr && promise.refs.counter >= promise.limit.counter/ and
	       s/(\tif \(old\)\n)/\tif (ptr)\n\t\tlet_in();\n$1/ }],
	['put-anyway', 'a refused exchange is done', 'exact.c', 'refused', 'sc',
	 sub { s/return ptr;/return xchg((u64 *)slot, ptr);/ }],
	['refused-null', 'a refused exchange returns nothing', 'exact.c', 'refused', 'sc',
	 sub { s/return ptr;/return 0;/ }],
	['back-before-job', 'teardown takes the reference from refs before it has a job', 'teardown.c', 'inc-nmi', 'sc',
	 sub { s/(\tstruct kng_job \*job = kng_offload_prepare)/\tkng_exact_gone(rec, 1);\n$1/ and
	       s/(kng_offload_queue\(job, obj\);\n)\t\tkng_exact_gone\(rec, 1\);\n/$1/ }],
	['job-after-pointer', 'teardown takes the pointer before the job', 'teardown.c', 'inc-nmi', 'sc',
	 sub { s/struct kng_job \*job = (kng_offload_prepare[^;]*);\n\tvoid \*obj;\n/void *obj = xchg(slot, NULL);\n\tstruct kng_job *job;\n\n\tkng_exact_gone(rec, !!obj);\n\tjob = $1;\n/ and
	       s/\tobj = xchg\(slot, NULL\);\n// and
	       s/(kng_offload_queue\(job, obj\);\n)\t\tkng_exact_gone\(rec, 1\);\n/$1/ }],
	['counted-late', 'a job is counted in use only when it is queued', 'kng_pool.h', 'inc-nmi', 'sc',
	 sub { s/\tif \(job\)\n\t\tatomic_inc\(&pool->in_use\);\n// and
	       s/(\tatomic_dec\(&pool->in_use\);)/$1/ and $_ .= "#define COUNT_LATE\n" }],
	['no-slack', 'no slack for calls of the pool that are under way', 'promise.c', 'hidden-tight', 'sc',
	 sub { s/\.slack = SLACK/.slack = 0/ }],
);

# For mutants: tighter, or shorter, than what is true of the code as it is.
my @for_mutants = (
	['go-bounds', '', '', 1, 0, 1, 2, '', 'nmi(0); add_room(-1)', 'fill(1, 4, false)', 'nmi(1)'],
	['hidden-tight', '', '', 1, 1, 1, '', '', 'nmi(0)', 'take(0); fill(1, 4, false)', 'nmi(1)'],
);

sub contents {
	my ($file) = @_;
	local $/;
	open(my $in, '<', $file) or die "promise.t: $file: $!\n";
	my $text = <$in>;
	return $text;
}

sub store {
	my ($file, $text) = @_;
	open(my $f, '>', $file) or die "promise.t: $file: $!\n";
	print $f $text;
	close($f) or die "promise.t: $file: $!\n";
}

sub cut {
	my ($text, @functions) = @_;
	my $cut = '';

	foreach my $function (@functions) {
		$text =~ /^(static [^\n]*\b$function\([^\n]*\n\{.*?^\}\n)/ms
			or die "promise.t: no function $function\n";
		$cut .= $1;
	}
	return $cut;
}

# Writes $out/$id.i; a mutant is planted in what it is made of.
sub prepare {
	my ($id, $scenario, $mm, $mutant, $reach) = @_;
	my ($name, undef, undef, $jobs, $slack, $full, $room, undef, @threads) = @$scenario;
	my $dir = "$out/$id.d";
	my %file = (
		'kng_promise.h' => contents("$top/include/kng_promise.h"),
		'exact.c' => contents("$top/module/exact.c"),
		'teardown.c' => contents("$top/module/teardown.c"),
		map { $_ => contents("$here/$_") } qw(kng_pool.h kernel.h promise.c),
	);

	$file{'exact.c'} = cut($file{'exact.c'}, 'let_in', 'exact_xchg');
	$file{'teardown.c'} = cut($file{'teardown.c'}, 'defer');
	if ($mutant) {
		local $_ = $file{$mutant->[2]};
		my $before = $_;

		# The bug must be planted, not silently missed.
		$mutant->[5]->() && $_ ne $before
			or die "promise.t: $mutant->[0] no longer fits $mutant->[2]: adapt its edit\n";
		$file{$mutant->[2]} = $_;
	}
	mkpath($dir);
	store("$dir/$_", $file{$_}) foreach keys %file;
	rename("$dir/exact.c", "$dir/exact.cut.h");
	rename("$dir/teardown.c", "$dir/teardown.cut.h");

	my @define = ("THREADS=" . @threads, "JOBS=$jobs", "SLACK=$slack", "FULL=$full",
		      "BOUNDED=" . ($room eq '' ? 0 : 1), "ROOM=" . ($room || 0), "WEAK=" . ($mm eq 'weak' ? 1 : 0));
	push(@define, "THREAD$_=" . ($threads[$_ - 1] // '')) foreach 1 .. 4;
	push(@define, "REACH=$reach") if $reach;
	system('gcc', '-E', '-P', (map { "-D$_" } @define), "-I$dir", '-o', "$out/$id.i",
	       "$dir/promise.c") and die "promise.t: $id: gcc -E\n";
	rmtree($dir);
}

# ok, or which assertions fail, or ERROR
sub check {
	my ($id) = @_;
	my $log = "$out/$id.log";

	system("$top/scripts/cbmc '$out' --no-standard-checks --unwind 2 --unwinding-assertions /model/$id.i >'$log' 2>&1");
	my $text = contents($log);
	my %failed = map { $_ => 1 } $text =~ /^\[.*?\] line \d+ (.*): FAILURE$/mg;

	return "ERROR, see $log" if grep { /^no body/ } keys %failed;
	return 'ok' if $text =~ /^VERIFICATION SUCCESSFUL$/m;
	return join('; ', sort keys %failed) if %failed && $text =~ /^VERIFICATION FAILED$/m;
	return "ERROR, see $log";
}

# What is to be done: a line of TAP each.
my @todo;

sub wanted {
	my ($name) = @_;

	return !@ARGV || grep { $_ eq $name } @ARGV;
}

foreach my $s (@scenarios) {
	my ($name, $what, $models, undef, undef, undef, undef, $reach) = @$s;

	next unless wanted($name);
	foreach my $model (split ' ', $models) {
		my ($mm, $slow) = $model =~ /^(\w+?)(-s)?$/;

		next if $slow && !$ENV{KNG_SLOW} && !@ARGV;
		push(@todo, sub {
			my $id = "$name-$mm";
			prepare($id, $s, $mm);
			my $got = check($id);
			return ($got eq 'ok', "$name: $what, " . uc($mm) .
				($got eq 'ok' ? '' : ": fails: $got"));
		});
	}
	# No vacuous proof.
	push(@todo, sub {
		my $id = "$name-reach";
		prepare($id, $s, 'sc', undef, $reach);
		my $got = check($id);
		return ($got eq 'can be reached', "$name: does happen: $reach" .
			($got eq 'can be reached' ? '' : ": $got"));
	});
}
foreach my $m (@mutants) {
	my ($name, $what, $file, $scenario, $mm) = @$m;

	next unless wanted($name);
	my ($s) = grep { $_->[0] eq $scenario } @scenarios, @for_mutants;
	push(@todo, sub {
		my $id = "mutant-$name";
		prepare($id, $s, $mm, $m);
		my $got = check($id);
		my $caught = $got ne 'ok' && $got !~ /^ERROR/;
		return ($caught, "mutant $name ($what) is caught by $scenario, " . uc($mm) . ": $got");
	});
}

# Two side by side; what they say in order.
mkpath($out);
$| = 1;
my ($bad, %running, %said) = (0);
my ($next, $told) = (0, 0);
print "1.." . @todo . "\n";
while ($told < @todo) {
	while ($next < @todo && keys %running < $jobs) {
		my $n = $next++;
		my $pid = fork() // die "promise.t: fork: $!\n";

		if (!$pid) {
			my ($ok, $line) = eval { $todo[$n]->() };

			($ok, $line) = (0, $@ =~ s/\n//gr) if $@;
			store("$out/$n.tap", ($ok ? 'ok ' : 'not ok ') . ($n + 1) . " - $line\n");
			exit(0);
		}
		$running{$pid} = $n;
	}
	my $n = delete $running{wait()};
	$said{$n} = contents("$out/$n.tap");
	unlink("$out/$n.tap");
	while (exists $said{$told}) {
		$bad++ if $said{$told} =~ /^not/;
		print $said{$told++};
	}
}
exit($bad ? 1 : 0);
