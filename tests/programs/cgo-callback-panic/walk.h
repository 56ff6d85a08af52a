int walk_tree(int leaves);
