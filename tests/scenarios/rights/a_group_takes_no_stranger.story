# Nobody of another company gets into a group.
Given Forges is a company
Given Moulins is a company
Given Diane administers Forges
Given Carla is a user of Moulins
Given Lyon is a group of Forges: nobody
When Diane makes Carla the members of Lyon -> InvalidGroup
