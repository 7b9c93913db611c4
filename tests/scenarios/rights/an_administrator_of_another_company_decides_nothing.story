# The administrator of one company is nobody in another.
Given Forges is a company
Given Moulins is a company
Given Carla administers Moulins
Given Anna is a user of Forges
Given Lyon is a group of Forges: Anna
When Carla gives meters on all points to Lyon -> NotAllowed
When Carla detaches Anna from Forges -> NotAllowed
When Carla invites Zoe to Forges -> NotAllowed
