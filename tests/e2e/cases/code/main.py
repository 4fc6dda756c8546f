print("from the snapshot")
