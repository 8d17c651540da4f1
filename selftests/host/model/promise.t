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
# full slots, room of all maps ('': no bound), what must be reachable, NAME=VALUE for
# promise.c and threads
my @scenarios = (
	['fill-fill', 'two exchanges, one job', 'sc late', 1, 0, 0, '', 'full == 1',
	 'fill(0, 3, true)', 'fill(1, 4, true)'],
	['refused', 'an exchange where no job is left', 'sc', 1, 0, 1, '', 'slot0 == 1 && full == 1',
	 'fill(0, 3, true)', 'fill(1, 4, true)'],
	['credit', 'two exchanges on a CPU with a credit', 'sc late', 2, 0, 0, '', 'full == 2',
	 'CREDITS=1', 'fill(0, 3, true)', 'fill(1, 4, true)'],
	['batch', 'an exchange asks for two, a later one has the other', 'sc', 2, 0, 0, '',
	 'full == 2 && !credit0.counter', 'KNG_PROMISE_BATCH=2', 'fill(0, 3, true); fill(1, 4, false)', 'take(1)'],
	['collect', 'one spends a credit, another CPU collects it', 'sc late', 1, 0, 0, '', 'slot1 == 4',
	 'CREDITS=1', 'fill(0, 3, false)', 'on_cpu(1); fill(1, 4, false)'],
	['keep', 'one leaves a credit, another CPU collects it', 'sc', 1, 0, 1, '', 'slot1 == 4',
	 'take(0)', 'on_cpu(1); fill(1, 4, false)'],
	['keep-nmi', 'a credit, and a reference that is deferred', 'sc', 2, 0, 2, '',
	 'slot1 == 4 && pending.counter == 1', 'take(0); fill(1, 4, false)', 'nmi(1)'],
	['give-back', 'a CPU with too many credits gives a batch back', 'sc', 3, 0, 1, '',
	 'full == 1 && promise.refs.counter == 2', 'CREDITS=2', 'take(0)', 'fill(1, 4, false)'],
	['give-back-collect', 'and another CPU collects', 'sc', 3, 0, 1, '',
	 'full == 1 && !credit0.counter', 'CREDITS=2', 'take(0)', 'on_cpu(1); fill(1, 4, false)'],
	['inc-nmi', 'race 1: an exchange against frees in NMI', 'sc late', 1, 0, 1, '',
	 '!full && pending.counter == 1', 'nmi(0)', 'fill(1, 4, false)', 'nmi(1)'],
	['inc-nmi-work', 'race 1 while a job comes back', 'sc-s', 2, 1, 1, '', 'full == 1',
	 'nmi(0)', 'fill(1, 4, false)', 'nmi(1)', 'work()'],
	['raced', 'race 1 while a program takes the reference', 'sc', 1, 0, 1, '', 'full == 1',
	 'nmi(0)', 'fill(1, 4, false)', 'take(0)'],
	['hidden', 'a job taken for a slot that was empty then', 'sc-s', 2, 1, 1, '', 'full == 1',
	 'nmi(0)', 'fill(1, 4, false)', 'nmi(1)', 'take(0)'],
	['slack', 'two NMIs have a job for one reference, and an exchange wants to add another', 'sc', 2, 1, 1, '',
	 '!full && pending.counter == 1', 'nmi(0)', 'nmi(0)', 'fill(1, 4, false)', 'nmi(1)'],
	['trim-inc', 'race 2: a trim against two exchanges', 'sc late', 2, 0, 0, '', 'full == 2',
	 'fill(0, 3, false)', 'fill(1, 4, false)', 'reserve(1, 0)'],
	['trim-part', 'race 2: the trimmer can mark less than it asked for', 'sc', 3, 0, 0, '',
	 'full == 2 && promise.limit.counter == 2',
	 'fill(0, 3, false)', 'fill(1, 4, false)', 'reserve(2, 1)'],
	['trim-credit', 'race 2: a trim against a credit', 'sc late', 2, 0, 0, '', 'promise.limit.counter == 1',
	 'CREDITS=1', 'fill(0, 3, false)', 'reserve(1, 0)'],
	['trim-nmi', 'race 2 with frees in NMI', 'sc', 3, 1, 1, '', 'promise.limit.counter == 2',
	 'nmi(0)', 'fill(1, 4, false)', 'reserve(1, 0)'],
	['trim-nmi-early', 'race 2, a free in NMI', 'early', 2, 0, 2, '', '!slot0 && pending.counter == 1',
	 'nmi(0)', 'reserve(1, 0)'],
	['trim-all', 'race 2 with frees in NMI and the worker', 'sc-s', 3, 2, 1, '', 'full == 1',
	 'nmi(0)', 'fill(1, 4, false)', 'nmi(1); work()', 'reserve(1, 0)'],
	['free', 'race 3: teardown outside NMI against exchanges', 'sc', 1, 0, 1, '', 'slot1 == 4',
	 'free_outside(0)', 'take(0)', 'fill(1, 4, false)'],
	['free-refill', 'race 3: the slot is filled again', 'sc', 1, 0, 1, '', 'slot0 == 3',
	 'free_outside(0)', 'nmi(0)', 'fill(0, 3, false)'],
	['come', 'a map comes while an exchange is under way', 'sc', 1, 0, 0, 1, 'full == 1',
	 'fill(0, 3, false)', 'add_room(1); fill(1, 4, false)'],
	['come-trim', 'a map comes while jobs are trimmed', 'sc late', 2, 0, 1, 1, 'full == 2',
	 'add_room(1); fill(1, 4, false)', 'reserve(1, 0)'],
	['come-bounds', 'the same, by the bounds', 'sc early', 2, 0, 1, 1, 'full == 2',
	 'BY_BOUNDS=true', 'add_room(1); fill(1, 4, false)', 'reserve(1, 0)'],
	['come-credit', 'a map comes while a trim turns to the bounds, and a credit is left', 'sc late',
	 4, 0, 1, 1, 'promise.by_bounds && full == 1', 'CREDITS=1', 'PHANTOMS=2',
	 'add_room(1); fill(1, 4, false)', 'reserve(3, 0)'],
	['come-take', 'a map comes while an exchange turns to the bounds', 'sc-s', 3, 0, 0, 1,
	 'promise.by_bounds && full == 2', 'PHANTOMS=3',
	 'add_room(1); fill(1, 4, false)', 'on_cpu(1); fill(0, 3, false)'],
	['go', 'a map goes', 'sc', 1, 0, 1, 2, 'slot1 == 4',
	 'free_outside(0); add_room(-1)', 'fill(1, 4, false)', 'nmi(1)'],
	['go-nmi', 'a map goes whose references are in jobs', 'sc-s', 1, 0, 1, 2,
	 '!full && !pending.counter', 'nmi(0); add_room(-1); work()', 'fill(1, 4, false)', 'free_outside(1)'],
	['grow', 'there are more jobs', 'sc', 1, 0, 1, '', 'slot1 == 4',
	 'fill(1, 4, false)', 'grow()', 'nmi(0); nmi(1)'],
);

# name, what is wrong, file, scenario, memory model, and the edit (of $_)
my @mutants = (
	['take-looks-first', 'take looks before it counts', 'kng_promise.h', 'fill-fill', 'sc',
	 sub { s/s64 refs = atomic64_add_return\(batch, &p->refs\);/s64 refs = atomic64_read(&p->refs) + batch;/ and
	       s/(\tif \(left >= batch\)\n)\t\treturn batch;/\tatomic64_add(batch, &p->refs);\n$1\t\treturn batch;/ }],
	['take-relaxed', 'the increment in take is not ordered', 'kng_promise.h', 'trim-inc', 'late',
	 sub { s/s64 refs = atomic64_add_return\(batch, &p->refs\);/s64 refs = (atomic64_add(batch, &p->refs), atomic64_read(&p->refs));/ }],
	['take-no-restore', 'take does not give back what it refused', 'kng_promise.h', 'fill-fill', 'sc',
	 sub { s/\tatomic64_sub\(batch - left, &p->refs\);\n// }],
	['take-always', 'take refuses nothing', 'kng_promise.h', 'fill-fill', 'sc',
	 sub { s/if \(left >= batch\)/if (true)/ }],
	['take-one-more', 'take gets one more than is left', 'kng_promise.h', 'credit-tight', 'sc',
	 sub { s/(\tatomic64_sub\(batch - )left, /$1++left, / }],
	['take-ignores-in-use', 'references in jobs do not count', 'kng_promise.h', 'inc-nmi', 'sc',
	 sub { s/ - kng_pool_used\(p->pool\)// }],
	['in-use-unordered', 'in_use may be read before refs', 'kng_promise.h', 'trim-nmi-early', 'early',
	 sub { s/\tsmp_rmb\(\); \/\* Pairs with the exchanges between pop[^\n]*\n// }],
	['in-use-before-bounds', 'in_use is read before the bounds', 'kng_promise.h', 'go-bounds', 'sc',
	 sub { s/(\tsmp_rmb\(\); \/\* Pairs with the increment in)/\ts64 in_use = kng_pool_used(p->pool);\n$1/ and
	       s/return __kng_promise_left\(p, kng_promise_clamp\(refs, bounds\(\)\), limit\) >= 0;/return kng_promise_clamp(refs, bounds()) + in_use + p->slack <= limit;/ }],
	['clamp-stored', 'the clamp is stored', 'kng_promise.h', 'come-bounds', 'sc',
	 sub { s/(\treturn __kng_promise_left\(p, )kng_promise_clamp\(refs, bounds\(\)\)/\trefs = kng_promise_clamp(refs, bounds());\n\tatomic64_set(&p->refs, refs);\n$1refs/ }],
	['bounds-unordered', 'the bounds may be read before refs', 'kng_promise.h', 'come-bounds', 'early',
	 sub { s/\tsmp_rmb\(\); \/\* Pairs with the increment in[^\n]*\n// }],
	['lower-looks-first', 'lower looks before it lowers', 'kng_promise.h', 'trim-inc', 'sc',
	 sub { s/s64 limit = atomic64_sub_return\(jobs, &p->limit\);/s64 limit = atomic64_read(&p->limit) - (s64)jobs;/ and
	       s/(\t\tif \(__kng_promise_left\(p, refs, limit\) >= 0\))\n\t\t\treturn true;/$1 {\n\t\t\tatomic64_sub(jobs, &p->limit);\n\t\t\treturn true;\n\t\t}/ and
	       s/refuse:\n\tatomic64_add\(jobs, &p->limit\);\n/refuse:\n/ }],
	['lower-relaxed', 'the subtraction in lower is not ordered', 'kng_promise.h', 'trim-inc', 'late',
	 sub { s/s64 limit = atomic64_sub_return\(jobs, &p->limit\);/s64 limit = (atomic64_sub(jobs, &p->limit), atomic64_read(&p->limit));/ }],
	['lower-no-restore', 'lower keeps what is promised', 'kng_promise.h', 'trim-inc', 'sc',
	 sub { s/refuse:\n\tatomic64_add\(jobs, &p->limit\);\n/refuse:\n/ }],
	['lower-by-bounds', 'lower goes by the bounds, and says so to nobody', 'kng_promise.h', 'come-credit', 'sc',
	 sub { s/\tif \(!READ_ONCE\(p->by_bounds\)\) \{\n\t\tif \(__kng_promise_left\(p, refs, limit\) >= 0\).*?\n\t\}\n(\tif \(__kng_promise_bounded\(p, refs, limit)/$1/s }],
	['spend-always', 'a credit is spent whatever goes by the bounds', 'kng_promise.h', 'come-credit', 'sc',
	 sub { s/\tif \(READ_ONCE\(p->by_bounds\)\)\n\t\treturn false;\n// }],
	['by-bounds-late', 'the bounds are not read again after by_bounds is set', 'kng_promise.h', 'come-credit', 'sc',
	 sub { s/(\t\tif \(!__kng_promise_go_by_bounds\(p, refs, limit, bounds\)\)\n\t\t\tgoto refuse;\n)/$1\t\treturn true;\n/ }],
	['by-bounds-unordered', 'no barrier after by_bounds is set', 'kng_promise.h', 'come-credit', 'late',
	 sub { s/\tsmp_mb\(\); \/\* Before the bounds[^\n]*\n// }],
	['spend-overdraws', 'a credit that is not there is spent', 'kng_promise.h', 'credit', 'sc',
	 sub { s/atomic_dec_return\(credit\) >= 0/atomic_dec_return(credit) >= -1/ }],
	['spend-keeps', 'a failed spend does not put back', 'kng_promise.h', 'credit', 'sc',
	 sub { s/\tatomic_inc\(credit\);\n\treturn false;/\treturn false;/ }],
	['batch-late', 'credits are there before they are promised', 'kng_promise.h', 'credit-tight', 'sc',
	 sub { s/(\t\ts64 nr = )__kng_promise_batch\(p\);\n/$1(atomic_add(1, __kng_promise_credit(p)), __kng_promise_batch(p));\n/ and
	       s/atomic_add\(nr - 1,/atomic_add(nr - 2,/ and
	       s/(\t\tif \(!__kng_promise_go_by_bounds\(p, atomic64_read)/\t\tatomic_add(-1, __kng_promise_credit(p));\n$1/ }],
	['batch-whole', 'a batch leaves as many credits as it has promises', 'kng_promise.h', 'batch', 'sc',
	 sub { s/atomic_add\(nr - 1,/atomic_add(nr,/ }],
	['collect-first', 'refs is lowered before the credits are gone', 'kng_promise.h', 'collect', 'sc',
	 sub { s/ && atomic_cmpxchg\(credit, nr, 0\) == nr// and
	       s/(\tatomic64_sub\(credits, &p->refs\);\n)/$1\tfor (i = 0; i < p->pool->nr_cpus; i++)\n\t\tatomic_xchg(__kng_pool_credit(p->pool, i), 0);\n/ }],
	['collect-debt', 'the debt of a spend that fails is collected', 'kng_promise.h', 'trim-inc', 'sc',
	 sub { s/\t\tif \(nr > 0 && atomic_cmpxchg\(credit, nr, 0\) == nr\)\n\t\t\tcredits \+= nr;/\t\tcredits += atomic_xchg(credit, 0);/ }],
	['give-back-first', 'refs is lowered before the batch of credits is gone', 'kng_promise.h', 'give-back', 'sc',
	 sub { s/\tif \(atomic_sub_return\(KNG_PROMISE_BATCH, credit\) >= 0\)\n\t\tatomic64_sub\(KNG_PROMISE_BATCH, &p->refs\);\n\telse\n.*?\n(\})/\tatomic64_sub(KNG_PROMISE_BATCH, &p->refs);\n\tatomic_sub_return(KNG_PROMISE_BATCH, credit);\n$1/s }],
	['give-back-all', 'a batch is given back that is not there any more', 'kng_promise.h', 'give-back-collect', 'sc',
	 sub { s/\tif \(atomic_sub_return\(KNG_PROMISE_BATCH, credit\) >= 0\)\n\t\tatomic64_sub\(KNG_PROMISE_BATCH, &p->refs\);\n\telse\n.*?\n(\})/\tatomic_sub_return(KNG_PROMISE_BATCH, credit);\n\tatomic64_sub(KNG_PROMISE_BATCH, &p->refs);\n$1/s }],
	['raise-first', 'the limit is raised before the jobs are there', 'promise.c', 'grow', 'sc',
	 sub { s/(\tmodel_stack_push\(&kng_pool\);\n)(\tkng_promise_raise\(&promise, 1\);\n)/$2$1/ }],
	['no-keep', 'what an exchange takes out stays counted', 'exact.c', 'free', 'sc',
	 sub { s/\tif \(old\)\n\t\tkng_promise_keep\(&promise\);\n// }],
	['keep-before-xchg', 'what an exchange takes out is a credit while it is there', 'exact.c', 'free', 'sc',
	 sub { s/u64 old = (xchg[^\n]*\n)/u64 old;\n\n\tif (*slot_of(slot))\n\t\tkng_promise_keep(&promise);\n\told = $1/ and
	       s/\tif \(old\)\n\t\tkng_promise_keep\(&promise\);\n// }],
	['count-late', 'an exchange counts after it has put the reference in', 'exact.c', 'fill-fill', 'sc',
	 sub { s/if \(ptr && !kng_promise_spend\(&promise\)\)\n\t\treturn exchange_without_credit\(slot, ptr\);/if (ptr && promise.refs.counter >= promise.limit.counter)\n\t\treturn ptr;/ and
	       s/(\tif \(old\)\n)/\tif (ptr && !kng_promise_spend(&promise))\n\t\tkng_promise_take(&promise, bounds);\n$1/ }],
	['put-anyway', 'a refused exchange is done', 'exact.c', 'refused', 'sc',
	 sub { s/return ptr;/return xchg((u64 *)slot, ptr);/ }],
	['refused-null', 'a refused exchange returns nothing', 'exact.c', 'refused', 'sc',
	 sub { s/return ptr;/return 0;/ }],
	['back-before-job', 'teardown takes the reference from refs before it has a job', 'teardown.c', 'inc-nmi', 'sc',
	 sub { s/(\tstruct kng_job \*job = kng_offload_prepare)/\tkng_exact_note_removed(rec, 1);\n$1/ and
	       s/(kng_offload_queue\(job, obj\);\n)[^\n]*\n[^\n]*kng_exact_note_removed\(rec, 1\);\n/$1/ }],
	['job-after-pointer', 'teardown takes the pointer before the job', 'teardown.c', 'inc-nmi', 'sc',
	 sub { s/struct kng_job \*job = (kng_offload_prepare[^;]*);\n\tvoid \*obj;\n/void *obj = xchg(slot, NULL);\n\tstruct kng_job *job;\n\n\tkng_exact_note_removed(rec, !!obj);\n\tjob = $1;\n/ and
	       s/\tobj = xchg\(slot, NULL\);\n// and
	       s/(kng_offload_queue\(job, obj\);\n)[^\n]*\n[^\n]*kng_exact_note_removed\(rec, 1\);\n/$1/ }],
	['deferred-credit', 'a reference that is deferred leaves a credit', 'promise.c', 'inc-nmi', 'sc',
	 sub { s/\tkng_promise_release\(&promise, nr\);/\tkng_promise_keep(&promise);/ }],
	['trim-marks-first', 'jobs are marked before it is known if they may go', 'reserve.c', 'trim-inc', 'sc',
	 sub { s/if \(surplus_lasts\(surplus\) && !kng_pool_shrinks\(\) && kng_exact_lower\(surplus\)\)\n\t\tkng_exact_raise\(surplus - kng_pool_mark\(surplus\)\);/if (surplus_lasts(surplus) && !kng_pool_shrinks()) {\n\t\tu32 nr = kng_pool_mark(surplus);\n\n\t\tif (kng_exact_lower(surplus))\n\t\t\tkng_exact_raise(surplus - nr);\n\t}/ }],
	['trim-unasked', 'jobs go without a question', 'reserve.c', 'trim-inc', 'sc',
	 sub { s/ && kng_exact_lower\(surplus\)// }],
	['trim-no-rest', 'what could not be marked is promised no more', 'reserve.c', 'trim-part', 'sc',
	 sub { s/kng_exact_raise\(surplus - kng_pool_mark\(surplus\)\)/kng_pool_mark(surplus)/ }],
	['trim-all-back', 'what was marked is promised again', 'reserve.c', 'trim-part', 'sc',
	 sub { s/kng_exact_raise\(surplus - kng_pool_mark\(surplus\)\)/kng_exact_raise((kng_pool_mark(surplus), surplus))/ }],
	['no-slack', 'no slack for calls of the pool that are under way', 'promise.c', 'hidden-tight', 'sc',
	 sub { s/\.slack = SLACK/.slack = 0/ }],
);

# For mutants: tighter, or shorter, than what is true of the code as it is.
my @for_mutants = (
	['go-bounds', '', '', 1, 0, 1, 2, '', 'BY_BOUNDS=true', 'nmi(0); add_room(-1)', 'fill(1, 4, false)', 'nmi(1)'],
	['hidden-tight', '', '', 1, 1, 1, '', '', 'nmi(0)', 'take(0); fill(1, 4, false)', 'nmi(1)'],
	['credit-tight', '', '', 1, 0, 0, '', '', 'KNG_PROMISE_BATCH=2', 'fill(0, 3, false)', 'fill(1, 4, false)'],
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
		$text =~ /^(static [^\n;]*\b$function\([^;{}]*\n\{.*?^\}\n)/ms
			or die "promise.t: no function $function\n";
		$cut .= $1;
	}
	return $cut;
}

# Writes $out/$id.i; a mutant is planted in what it is made of.
sub prepare {
	my ($id, $scenario, $mm, $mutant, $reach) = @_;
	my ($name, undef, undef, $jobs, $slack, $full, $room, undef, @rest) = @$scenario;
	my @threads = grep { !/^\w+=/ } @rest;
	my %more = ('KNG_PROMISE_BATCH' => 1, 'CPUS' => (grep { /on_cpu/ } @threads) ? 2 : 1, 'CREDITS' => 0, 'PHANTOMS' => 0, 'BY_BOUNDS' => 'false',
		    map { split /=/ } grep { /^\w+=/ } @rest);
	my $dir = "$out/$id.d";
	my %file = (
		'kng_promise.h' => contents("$top/include/kng_promise.h"),
		'exact.c' => contents("$top/module/exact.c"),
		'reserve.c' => contents("$top/module/reserve.c"),
		'teardown.c' => contents("$top/module/teardown.c"),
		map { $_ => contents("$here/$_") } qw(kng_pool.h kernel.h promise.c),
	);

	# Without bounds they are of no help, and only cost time.
	$file{'kng_promise.h'} =~ s/if \(!__kng_promise_go_by_bounds\(p, .*?, bounds\)\)\n/if (true)\n/gs
		if $room eq '' && !($mutant && $mutant->[2] eq 'kng_promise.h');
	$file{'exact.c'} = cut($file{'exact.c'}, 'exchange', 'exchange_without_credit', 'exact_xchg');
	$file{'teardown.c'} = cut($file{'teardown.c'}, 'defer');
	$file{'reserve.c'} = cut($file{'reserve.c'}, 'trim');
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
	rename("$dir/reserve.c", "$dir/reserve.cut.h");
	rename("$dir/teardown.c", "$dir/teardown.cut.h");

	my @define = ("THREADS=" . @threads, "JOBS=$jobs", "SLACK=$slack", "FULL=$full",
		      "BOUNDED=" . ($room eq '' ? 0 : 1), "ROOM=" . ($room || 0), "LATE=" . ($mm eq 'late' ? 1 : 0), "EARLY=" . ($mm eq 'early' ? 1 : 0));
	push(@define, map { "$_=$more{$_}" } sort keys %more);
	push(@define, "THREAD$_=" . ($threads[$_ - 1] // '')) foreach 1 .. 4;
	push(@define, "REACH=$reach") if $reach;
	system('gcc', '-E', '-P', (map { "-D$_" } @define), "-I$dir", '-o', "$out/$id.i",
	       "$dir/promise.c") and die "promise.t: $id: gcc -E\n";
	rmtree($dir);
}

# What CBMC says of $out/$id.i. All of what it goes by is in that file and in its options:
# of the same it is not asked again, unless by KNG_AGAIN=1.
sub answer {
	my ($id) = @_;
	my ($log, $asked) = ("$out/$id.log", "$out/$id.asked");
	my $cbmc = "$top/scripts/cbmc '$out' --no-standard-checks --unwind 3 --unwinding-assertions";
	my $question = "$cbmc\n" . contents("$out/$id.i");

	unless (!$ENV{KNG_AGAIN} && -e $log && -e $asked && contents($asked) eq $question) {
		unlink($asked);
		system("$cbmc /model/$id.i >'$log' 2>&1");
		# That it could not be run is no answer.
		store($asked, $question) if contents($log) =~ /^VERIFICATION /m;
	}
	return contents($log);
}

# ok, or which assertions fail, or ERROR
sub check {
	my ($id) = @_;
	my $log = "$out/$id.log";
	my $text = answer($id);
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

my @left;
foreach my $s (@scenarios) {
	my ($name, $what, $models, undef, undef, undef, undef, $reach) = @$s;

	next unless wanted($name);
	my $proofs = 0;
	foreach my $model (split ' ', $models) {
		my ($mm, $slow) = $model =~ /^(\w+?)(-s)?$/;

		if ($slow && !$ENV{KNG_SLOW} && !@ARGV) {
			push(@left, "$name " . uc($mm));
			next;
		}
		$proofs++;
		push(@todo, sub {
			my $id = "$name-$mm";
			prepare($id, $s, $mm);
			my $got = check($id);
			return ($got eq 'ok', "$name: $what, " . uc($mm) .
				($got eq 'ok' ? '' : ": fails: $got"));
		});
	}
	# No vacuous proof.
	next unless $proofs;
	push(@todo, sub {
		my $id = "$name-reach";
		prepare($id, $s, 'sc', undef, $reach);
		my $got = check($id);
		return ($got eq 'can be reached', "$name: does happen: $reach" .
			($got eq 'can be reached' ? '' : ": $got"));
	});
}
push(@todo, sub { return (1, join(', ', @left) . ' # SKIP minutes: make check-all, or KNG_SLOW=1') })
	if @left;
push(@todo, sub { return (1, 'mutants # SKIP minutes: make check-all, or KNG_SLOW=1') })
	unless $ENV{KNG_SLOW} || @ARGV;
foreach my $m (@mutants) {
	my ($name, $what, $file, $scenario, $mm) = @$m;

	next unless wanted($name) && ($ENV{KNG_SLOW} || @ARGV);
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
