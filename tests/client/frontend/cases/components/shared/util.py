def shared(): pass
