"""A search on a Ray cluster: what starts actors and looks after them, and the actor itself. Ray is imported only here, and only
when it is asked for.
"""
