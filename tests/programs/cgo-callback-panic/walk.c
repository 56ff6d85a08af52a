#include "walk.h"

#include "_cgo_export.h"

static __attribute__((noinline)) int walk_branch(int from, int to)
{
	int sum = 0;
	for (int leaf = from; leaf < to; leaf++)
		sum += goVisit(leaf);
	return sum;
}

int walk_tree(int leaves)
{
	int sum = walk_branch(0, leaves / 2);
	return sum + walk_branch(leaves / 2, leaves);
}
